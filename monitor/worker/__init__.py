"""From Kafka through counting to the ledger."""
