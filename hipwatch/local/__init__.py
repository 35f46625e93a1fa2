"""The local stack: broker, workers, Prometheus and Alertmanager as processes."""
