"""The monitor's settings: plain values, made at the edge and passed in. Core."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from broker.connection import KafkaConnection
from monitor.counting.dead_letter_limit import DEFAULT_LIMIT
from monitor.judgement.rhythms import Rhythms

DEFAULT_GROUP: Final = "hipwatch"
DEFAULT_SESSION_TIMEOUT_MS: Final = 10_000
"""How long Kafka waits for a worker's heartbeat before others take its partitions."""
DEFAULT_LINGER_SECONDS: Final = 0.5
"""How long a worker lets events come before it counts them, while few come. The page looks every second."""
DEFAULT_PORT: Final = 8080


@dataclass(frozen=True)
class WorkerSettings:
    """One worker.

    `publish_dead_letters`: whether dead letters go to their topic, and not only into the ledger. `null_keys`: whether a message
    without a key is taken; where Kafka's access rules bind a sender to its key, it should not be.
    `register_folder` holds the register; without one it is the one that ships. `metrics_port`: where /metrics and /healthz are;
    None is nowhere, 0 any free port. `columnar`: whether whole batches are decoded and counted at once.
    `accept_simulated`: whether what the simulator made is counted, and not set aside.
    """

    kafka: KafkaConnection
    database: str
    group: str = DEFAULT_GROUP
    session_timeout_ms: int = DEFAULT_SESSION_TIMEOUT_MS
    dead_letter_limit: float = DEFAULT_LIMIT
    linger_seconds: float = DEFAULT_LINGER_SECONDS
    publish_dead_letters: bool = True
    register_folder: Path | None = None
    null_keys: bool = True
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None
    columnar: bool = True
    accept_simulated: bool = False


@dataclass(frozen=True)
class ServeSettings:
    """The web process: page, metrics, webhook.

    `webhook_token` guards Alertmanager's deliveries, `duty_code` the form of an incident; without it each refuses everybody.
    `stall_after`: how long the platform clock may stand still (wall time). `allowed_hosts`: names beside addresses and short
    names by which the site may be called. `watchdog_after`: how long the Watchdog alert may stay away;
    a dead Prometheus' last one is repeated by Alertmanager for four minutes more.
    `targets_file`: who is told. `until`: what comes after it is not judged. `canary`: whether one is sent, and missed when
    it is late.
    """

    database: str
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    webhook_token: str | None = field(default=None, repr=False)
    refresh: timedelta = timedelta(seconds=1)
    stall_after: timedelta = timedelta(hours=1)
    stale_after: timedelta = timedelta(minutes=2)
    watchdog_after: timedelta = timedelta(minutes=5)
    allowed_hosts: Sequence[str] = ()
    rhythms: Rhythms = field(default_factory=Rhythms)
    register_folder: Path | None = None
    targets_file: Path | None = None
    until: datetime | None = None
    duty_code: str | None = field(default=None, repr=False)
    canary: bool = False
