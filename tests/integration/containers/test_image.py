"""hipwatch's own image, by itself."""

from collections.abc import Iterator

import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HealthcheckWaitStrategy

from tests.integration.containers.engine import LABELS
from tests.integration.containers.images import image
from tests.integration.containers.until import until

pytestmark = pytest.mark.usefixtures("docker_engine")
_HEALTHCHECK = ["python", "/usr/local/lib/hipwatch/healthcheck.py"]


@pytest.fixture(scope="module")
def serving(docker_engine: None) -> Iterator[DockerContainer]:
    """`hipwatch serve` with all defaults: a ledger of its own, no broker needed."""
    container = DockerContainer(image("hipwatch")).with_command(["serve"]).with_kwargs(labels=LABELS)
    with container.waiting_for(HealthcheckWaitStrategy()) as started:
        yield started


def test_health_turns_healthy_while_serve_answers(serving: DockerContainer) -> None:
    container = serving.get_wrapped_container()
    container.reload()
    assert container.attrs["State"]["Health"]["Status"] == "healthy"


def test_health_check_fails_when_serve_does_not_answer(serving: DockerContainer) -> None:
    code, output = serving.get_wrapped_container().exec_run(_HEALTHCHECK, environment={"HIPWATCH_PORT": "1"})
    assert code == 1
    assert b"does not answer" in output


def test_health_check_fails_when_a_command_without_a_port_is_stopped() -> None:
    command = ["replay", "2024-09", "--day-seconds", "60"]
    with DockerContainer(image("hipwatch")).with_command(command).with_kwargs(labels=LABELS) as started:
        container = started.get_wrapped_container()
        assert container.exec_run(_HEALTHCHECK)[0] == 0
        container.kill("SIGSTOP")
        code, output = container.exec_run(_HEALTHCHECK)
        assert (code, output) == (1, b"the process is in state T\n")


def test_nothing_runs_as_root_and_nothing_of_ours_can_be_changed(serving: DockerContainer) -> None:
    container = serving.get_wrapped_container()
    assert container.exec_run(["id", "-u"]).output.strip() == b"10001"
    assert container.exec_run(["find", "/opt", "/usr", "-writable", "-not", "-type", "l"]) == (0, b"")


def test_serve_ends_at_once_when_docker_stops_it() -> None:
    with DockerContainer(image("hipwatch")).with_command(["serve"]).with_kwargs(labels=LABELS) as started:
        container = started.get_wrapped_container()
        until(lambda: container.exec_run(_HEALTHCHECK)[0], lambda code: code == 0, "serve answers", 60)
        container.stop(timeout=10)
        container.reload()
        assert container.attrs["State"]["ExitCode"] != 137  # that would be the kill after ten seconds
