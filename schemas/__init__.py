"""The contract between the units and the monitor: topics, Avro records, typed events, reference data.

Both sides import it; it imports nothing of ours.
"""
