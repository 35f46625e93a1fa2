"""Which images the tests run: the official ones, or what HIPWATCH_IMAGE_… names (see docker/local-images.sh)."""

import os
from typing import Final

_OFFICIAL: Final = {
    "hipwatch": "hipwatch:latest",  # docker build -f docker/Dockerfile -t hipwatch .
    "kafka": "apache/kafka:4.1.0",
    "postgres": "postgres:15",
    "prometheus": "prom/prometheus:v2.42.0",
    "alertmanager": "prom/alertmanager:v0.25.0",
}


def variable(what: str) -> str:
    return f"HIPWATCH_IMAGE_{what.upper()}"


def official_image(what: str) -> str:
    return _OFFICIAL[what]


def image(what: str) -> str:
    """The image of that service, as docker/compose.yaml chooses it."""
    return os.environ.get(variable(what)) or _OFFICIAL[what]
