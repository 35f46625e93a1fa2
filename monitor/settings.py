"""The monitor's settings: plain values, made at the edge and passed in. Core."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from monitor.budget import DEFAULT_LIMIT
from monitor.deadlines import Rhythms
from schemas.connection import KafkaConnection

DEFAULT_GROUP: Final = "hipwatch"
DEFAULT_SESSION_TIMEOUT_MS: Final = 10_000
"""How long Kafka waits for a worker's heartbeat before others take its partitions."""
DEFAULT_PORT: Final = 8080


@dataclass(frozen=True)
class WorkerSettings:
    """One worker. `publish_letters`: whether dead letters go to their topic, and not only into the ledger."""

    kafka: KafkaConnection
    database: str
    group: str = DEFAULT_GROUP
    session_timeout_ms: int = DEFAULT_SESSION_TIMEOUT_MS
    dead_letter_limit: float = DEFAULT_LIMIT
    publish_letters: bool = True


@dataclass(frozen=True)
class ServeSettings:
    """The web process: page, metrics, webhook.

    `webhook_token` guards the one endpoint that writes; without it the endpoint refuses everybody. `stall_after`: how long
    the platform clock may stand still (wall time). `watchdog_after`: how long the Watchdog alert may stay away.
    """

    database: str
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    webhook_token: str | None = field(default=None, repr=False)
    refresh: timedelta = timedelta(seconds=5)
    stall_after: timedelta = timedelta(hours=1)
    stale_after: timedelta = timedelta(minutes=2)
    watchdog_after: timedelta = timedelta(minutes=10)
    rhythms: Rhythms = field(default_factory=Rhythms)
