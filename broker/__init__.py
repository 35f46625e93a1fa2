"""How both sides reach Kafka: connection, topics, and why a broker keeps us out."""
