"""A month of a million events with faults in its stream, counted to the last one: `make exact EVENTS=… SEED=…`."""
