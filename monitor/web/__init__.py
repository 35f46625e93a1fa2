"""The monitor's web pages, metrics endpoint and webhook."""
