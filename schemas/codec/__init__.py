"""Bytes <-> events in Avro single-object encoding."""
