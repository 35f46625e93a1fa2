"""The decoder against bytes that nobody sends, led by coverage: `make fuzz RUNS=… SEED=…`."""
