"""How to reach Kafka: the settings that both sides share. Core: values only, no client."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from schemas.topics import DEFAULT_PREFIX

CONNECT_TIMEOUT_MS: Final = 8_000
"""How long a first connection may take before we say that no broker answers."""


@dataclass(frozen=True)
class KafkaConnection:
    """A broker address list (`host:port,host:port`), the topic prefix, and TLS/SASL options by their kafka-python names."""

    bootstrap: str
    topic_prefix: str = DEFAULT_PREFIX
    security: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def client_options(self) -> dict[str, Any]:
        """Keyword arguments that every kafka-python client takes."""
        servers = [server.strip() for server in self.bootstrap.split(",") if server.strip()]
        return {"bootstrap_servers": servers, "bootstrap_timeout_ms": CONNECT_TIMEOUT_MS, **self.security}
