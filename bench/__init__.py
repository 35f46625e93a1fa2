"""hipwatch beside what an engineer writes in an hour: the same events, the same broker, the same sums. `make bench`."""
