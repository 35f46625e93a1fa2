"""Grafana dashboards as code: `python -m ops.grafana` writes them anew. Built for Grafana 11.6."""
