"""How people hear of it: metrics, alerts, incidents, and what a robot or a mailbox is told."""
