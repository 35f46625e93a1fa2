"""docker/compose.yaml: it is well-formed, and what it starts finds each other on the configuration of ops/."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.containers.images import OFFICIAL, image, variable
from tests.integration.containers.until import until

_SECRETS = Path(__file__).parents[3] / "docker" / "secrets.sh"
_PROJECT = f"hipwatch-test-{os.getpid()}"
_NO_VARIABLES = {name: value for name, value in os.environ.items() if not name.startswith("HIPWATCH_")}


def run(command: list[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    run([str(_SECRETS), str(folder)], os.environ)
    return folder


def test_compose_file_is_well_formed_with_every_profile(compose: list[str]) -> None:
    run([*compose, "--profile", "*", "config", "--quiet"], _NO_VARIABLES)


def test_images_are_the_official_ones_unless_a_variable_names_another(compose: list[str]) -> None:
    command = [*compose, "--profile", "*", "config", "--format", "json"]
    by_default = {name: service["image"] for name, service in json.loads(run(command, _NO_VARIABLES))["services"].items()}
    assert {name: by_default[name] for name in OFFICIAL} == OFFICIAL
    ours = dict.fromkeys(("worker", "serve", "simulator", "canary"), "hipwatch")
    other = {variable(what): f"example/{what}" for what in [*OFFICIAL, "grafana", "hipwatch"]}
    changed = json.loads(run(command, {**_NO_VARIABLES, **other}))["services"]
    assert {name: service["image"] for name, service in changed.items()} == {
        name: f"example/{ours.get(name, name)}" for name in by_default
    }


def test_secrets_are_made_once_and_the_ledgers_password_is_the_databases(secrets: Path) -> None:
    before = {path.name: path.read_text(encoding="ascii") for path in secrets.iterdir()}
    run([str(_SECRETS), str(secrets)], os.environ)
    assert {path.name: path.read_text(encoding="ascii") for path in secrets.iterdir()} == before
    assert f"password={before['postgres-password']}\n" in before["database.conf"]
    assert secrets.stat().st_mode & 0o077 == 0


@pytest.fixture(scope="module")
def stack(compose: list[str], secrets: Path, docker_engine: None) -> Iterator[list[str]]:
    """The whole compose project, healthy, on free ports. Yields the start of a command line on it."""
    settings = {
        "HIPWATCH_SECRETS": str(secrets),
        "HIPWATCH_PAGE_PORT": "0",
        "HIPWATCH_PROMETHEUS_PORT": "0",
        "HIPWATCH_ALERTMANAGER_PORT": "0",
        **{variable(what): image(what) for what in [*OFFICIAL, "hipwatch"]},
    }
    command = ["env", *(f"{name}={value}" for name, value in settings.items()), *compose, "--project-name", _PROJECT]
    try:
        run([*command, "up", "--detach", "--wait", "--no-build", "--scale", "worker=2"], _NO_VARIABLES)
        yield command
    finally:
        run([*command, "down", "--volumes", "--timeout", "5"], _NO_VARIABLES)


def test_everything_of_the_compose_file_turns_healthy_on_an_empty_database(stack: list[str]) -> None:
    lines = run([*stack, "ps", "--format", "json"], _NO_VARIABLES).splitlines()
    services = [json.loads(line) for line in lines]
    assert sorted(service["Service"] for service in services) == sorted(
        ["alertmanager", "kafka", "postgres", "prometheus", "serve", "worker", "worker"]
    )
    assert {service["Health"] for service in services} == {"healthy"}


def test_prometheus_in_compose_scrapes_serve_and_every_worker_and_the_watchdog_comes_back_to_it(stack: list[str]) -> None:
    serve = run([*stack, "port", "serve", "8080"], _NO_VARIABLES).strip()
    prometheus = run([*stack, "port", "prometheus", "9090"], _NO_VARIABLES).strip()
    assert serve.startswith("127.0.0.1:")

    def targets() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(_get(f"http://{prometheus}/api/v1/targets"))["data"]["activeTargets"]
        return found

    found = until(
        targets, lambda found: [each["health"] for each in found] == ["up"] * 3, "serve and both workers are scraped", 120
    )
    assert [each["labels"]["job"] for each in sorted(found, key=_job)] == ["hipwatch", "hipwatch-worker", "hipwatch-worker"]
    assert min(found, key=_job)["labels"]["instance"] == "serve:8080"
    groups = json.loads(_get(f"http://{prometheus}/api/v1/rules"))["data"]["groups"]
    assert {"UnitFeedSilent", "Watchdog"} <= {rule["name"] for group in groups for rule in group["rules"]}
    until(
        lambda: _get(f"http://{serve}/metrics"),
        lambda text: "\nhip_watchdog_last_received_timestamp_seconds " in text,
        "the Watchdog has gone round",
        120,
    )


def _job(target: dict[str, Any]) -> str:
    job: str = target["labels"]["job"]
    return job


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        text: str = answer.read().decode()
    return text
