"""The units' side: what they send, and how it gets to Kafka."""
