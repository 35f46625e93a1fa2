"""Apache Kafka, one real node, as a process: what users run, without a container. Started by `docker/kafka/start.sh`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.services.certificates import Pair
from tests.services.kafka_jars import KAFKA, kafka_jars
from tests.services.process import LOOPBACK, ServiceProcess, lasting_port
from tests.services.service import Service

_JAVA_OPTIONS: Final = "-Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto"
"""Quick to start and easy on two cores; a benchmark would want the full compiler."""
_FOR_TESTS: Final = {
    "group.min.session.timeout.ms": "500",  # the default, 6 s, is a long wait for a test
    "broker.session.timeout.ms": "3000",  # until a killed node may register again; the default is 9 s
    "broker.heartbeat.interval.ms": "500",
    "log.segment.delete.delay.ms": "1000",
    "log.initial.task.delay.ms": "1000",
}


@dataclass(frozen=True)
class Security:
    """How clients reach the broker. With `tls` it shows that certificate; with `users`, they log in by `mechanism`.

    `client_authority`: clients have to show a certificate that this authority has signed.
    """

    tls: Pair | None = None
    mechanism: str | None = None
    users: Mapping[str, str] = field(default_factory=dict)
    client_authority: Path | None = None

    @property
    def protocol(self) -> str:
        return ("SASL_" if self.mechanism else "") + ("SSL" if self.tls else "PLAINTEXT")


class KafkaServer(Service):
    """One node on ports of its own, with a data directory of its own. `properties` override server.properties.

    `reached_at`: the port of a link to it, over which all clients have to go.
    """

    name = "kafka"
    keeps_data = True

    def __init__(
        self,
        *,
        security: Security | None = None,
        properties: Mapping[str, str] | None = None,
        java_options: str = _JAVA_OPTIONS,
        reached_at: int | None = None,
        logs: Path | None = None,
    ) -> None:
        jars = kafka_jars()
        super().__init__(logs)
        self.port = lasting_port()
        self._reached_at = reached_at or self.port
        security = security or Security()
        mine = {**self._listeners(security), **_FOR_TESTS, **_tls(security), **_sasl(security), **(properties or {})}
        env = {name: value for name, value in os.environ.items() if not name.startswith("KAFKA_")}
        env |= {variable(name): value for name, value in mine.items()}
        env |= {
            "LIBS": str(jars),
            "DATA": str(self.directory / "data"),
            "CONF": str(self.directory / "server.properties"),
            "JAVA_OPTS": java_options,
            "FORMAT_OPTS": " ".join(_scram_users(security)),
        }
        self._process = ServiceProcess(self.name, ["sh", str(KAFKA / "start.sh")], self.log, env)

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self._reached_at}"

    def start(self) -> None:
        """Start it and wait until it says that it has started."""
        self._process.start(lambda: self._process.said("Kafka Server started"))

    def _listeners(self, security: Security) -> dict[str, str]:
        """The clients' listener, and one each for the controller and for what a node tells itself."""
        internal, controller = (f"{LOOPBACK}:{lasting_port()}" for _ in range(2))
        names = {"CLIENTS": security.protocol, "INTERNAL": "PLAINTEXT", "CONTROLLER": "PLAINTEXT"}
        return {
            "listeners": f"CLIENTS://{LOOPBACK}:{self.port},INTERNAL://{internal},CONTROLLER://{controller}",
            "advertised.listeners": f"CLIENTS://{self.bootstrap},INTERNAL://{internal}",
            "controller.quorum.voters": f"1@{controller}",
            "inter.broker.listener.name": "INTERNAL",
            "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in names.items()),
        }


def variable(name: str) -> str:
    """The environment variable that start.sh makes this property of."""
    return "KAFKA_" + name.replace("_", "__").replace("-", "___").replace(".", "_").upper()


def _tls(security: Security) -> dict[str, str]:
    if security.tls is None:
        return {}
    prefix = "listener.name.clients.ssl"
    options = {
        f"{prefix}.keystore.type": "PEM",
        f"{prefix}.keystore.certificate.chain": security.tls.certificate.read_text(encoding="ascii"),
        f"{prefix}.keystore.key": security.tls.key.read_text(encoding="ascii"),
    }
    if security.client_authority:
        options |= {
            f"{prefix}.client.auth": "required",
            f"{prefix}.truststore.type": "PEM",
            f"{prefix}.truststore.certificates": security.client_authority.read_text(encoding="ascii"),
        }
    return options


def _sasl(security: Security) -> dict[str, str]:
    if security.mechanism is None:
        return {}
    if security.mechanism == "PLAIN":
        users = " ".join(f'user_{name}="{password}"' for name, password in security.users.items())
        module = f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};"
    else:
        module = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    return {
        "sasl.enabled.mechanisms": security.mechanism,
        f"listener.name.clients.{security.mechanism.lower()}.sasl.jaas.config": module,
    }


def _scram_users(security: Security) -> list[str]:
    if not (security.mechanism or "").startswith("SCRAM"):
        return []
    return [
        word
        for name, password in security.users.items()
        for word in ("--add-scram", f"{security.mechanism}=[name={name},password={password}]")
    ]
