"""A site of containers in one network: testcontainers starts them, nothing but the page's port is seen from outside."""

import secrets
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import yaml
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network
from testcontainers.core.wait_strategies import HttpWaitStrategy, LogMessageWaitStrategy

from tests.integration.containers.engine import LABELS
from tests.integration.containers.images import image
from tests.integration.containers.paging import write_paging

_COMPOSE: Final = Path(__file__).parents[3] / "docker" / "compose.yaml"
_LAST_LINES: Final = 30


class ContainerSite:
    """See `Site`. `folder` holds the configuration that is mounted."""

    def __init__(self, folder: Path) -> None:
        self._paging = folder / "paging"
        self._password = secrets.token_urlsafe(12)
        self._network = Network(docker_network_kw={"labels": LABELS})
        self._containers: dict[str, DockerContainer] = {}
        self._stack = ExitStack()

    @property
    def page(self) -> str:
        serve = self._containers["serve"]
        return f"http://{serve.get_container_host_ip()}:{serve.get_exposed_port(8080)}"

    def start(self, name: str, *arguments: str) -> None:
        # As in docker/compose.yaml; a container that is killed by hand stays dead all the same.
        policy = {"Name": "on-failure", "MaximumRetryCount": 3}
        self._add(name, self._hipwatch(*arguments).with_kwargs(labels=LABELS, restart_policy=policy))

    def kill(self, name: str) -> None:
        self._containers[name].get_wrapped_container().kill("SIGKILL")

    def exit_code(self, name: str) -> int | None:
        container = self._containers[name].get_wrapped_container()
        container.reload()
        state = container.attrs["State"]
        return None if state["Running"] or state["Restarting"] else int(state["ExitCode"])

    def run(self, *arguments: str) -> str:
        """In a container of its own."""
        with self._hipwatch(*arguments).with_network(self._network) as container:
            code = container.wait()
            output, errors = container.get_logs()
        assert code == 0, errors.decode()
        return output.decode()

    def __enter__(self) -> Self:
        try:
            self._stack.enter_context(self._network)
            self._start_services()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            self._print_logs()
        self._stack.close()

    def _start_services(self) -> None:
        write_paging(self._paging, serve="serve:8080", alertmanager="alertmanager:9093")
        kafka = DockerContainer(image("kafka"), env=_kafka_settings()).with_kwargs(labels=LABELS)
        self._add("kafka", kafka.waiting_for(LogMessageWaitStrategy("Kafka Server started")))
        postgres = PostgresContainer(image("postgres"), username="hipwatch", password=self._password, dbname="hipwatch")
        self._add("postgres", postgres.with_kwargs(labels=LABELS))
        serve = self._hipwatch("serve", "--refresh", "0.3").with_volume_mapping(self._paging, str(self._paging))
        serve.with_env("HIPWATCH_WEBHOOK_TOKEN_FILE", str(self._paging / "webhook-token")).with_exposed_ports(8080)
        self._add("serve", serve.waiting_for(HttpWaitStrategy(8080, "/healthz").for_status_code(200)))
        self._add(
            "alertmanager",
            self._from_paging("alertmanager", 9093).with_command(
                [f"--config.file={self._paging}/alertmanager.yml", "--storage.path=/alertmanager", "--cluster.listen-address="]
            ),
        )
        self._add(
            "prometheus",
            self._from_paging("prometheus", 9090).with_command(
                [
                    f"--config.file={self._paging}/prometheus.yml",
                    "--storage.tsdb.path=/prometheus",
                    "--rules.alert.resend-delay=1s",
                ]
            ),
        )

    def _from_paging(self, what: str, port: int) -> DockerContainer:
        """A container that reads the folder and says on /-/ready when it is."""
        container = DockerContainer(image(what)).with_kwargs(labels=LABELS).with_exposed_ports(port)
        container.with_volume_mapping(self._paging, str(self._paging))
        return container.waiting_for(HttpWaitStrategy(port, "/-/ready").for_status_code(200))

    def _hipwatch(self, *arguments: str) -> DockerContainer:
        database = f"postgresql+psycopg://hipwatch:{self._password}@postgres/hipwatch"
        settings = {"HIPWATCH_BOOTSTRAP": "kafka:9092", "HIPWATCH_DATABASE": database}
        return DockerContainer(image("hipwatch"), env=settings).with_command(list(arguments)).with_kwargs(labels=LABELS)

    def _add(self, name: str, container: DockerContainer) -> None:
        self._containers[name] = container
        self._stack.enter_context(container.with_network(self._network).with_network_aliases(name))

    def _print_logs(self) -> None:
        for name, container in self._containers.items():
            if container._container is not None:
                lines = container.get_wrapped_container().logs(tail=_LAST_LINES).decode(errors="replace")
                print(f"--- {name}\n{lines}")


def _kafka_settings() -> dict[str, str]:
    """Kafka as docker/compose.yaml sets it up."""
    settings: dict[str, str] = yaml.safe_load(_COMPOSE.read_text(encoding="utf-8"))["services"]["kafka"]["environment"]
    return settings
