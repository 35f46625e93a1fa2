"""Which images the tests run: the official ones, or what HIPWATCH_IMAGE_… names (see docker/local-images.sh).

hipwatch's own is built from the working tree, unless a variable names one: a test of yesterday's image proves nothing.
"""

import os
from typing import Final

OFFICIAL: Final = {
    "kafka": "apache/kafka:4.1.0",
    "postgres": "postgres:15",
    "prometheus": "prom/prometheus:v2.42.0",
    "alertmanager": "prom/alertmanager:v0.25.0",
}
BUILT: Final = "hipwatch:under-test"


def variable(what: str) -> str:
    """The variable that names an image, here and in docker/compose.yaml."""
    return f"HIPWATCH_IMAGE_{what.upper()}"


def image(what: str) -> str:
    return os.environ.get(variable(what)) or OFFICIAL.get(what, BUILT)
