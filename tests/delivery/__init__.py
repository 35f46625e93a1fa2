"""A month on real services, from the units' events to four targets, under restarts: `make delivery SEED=1`."""
