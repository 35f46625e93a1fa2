"""A month under a seeded schedule of faults, on real Apache Kafka and PostgreSQL: `make chaos SEED=… FAULTS=…`."""
