"""Prometheus and Alertmanager as local processes, on the rules and routes of `ops/`. Shell.

Time-lapse: a month in a minute leaves no time to wait, so every `for` and interval is cut short here; the shipped files
keep the ones for real life.
"""

import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from hipwatch.local.processes import LOOPBACK, Processes, answers, free_port

_PROMETHEUS: Final = ("prometheus",)
_ALERTMANAGER: Final = ("prometheus-alertmanager", "alertmanager")
_PROMETHEUS_PORT: Final = 9090
_ALERTMANAGER_PORT: Final = 9093
_SCRAPE_MS: Final = 500
_SCRAPE_MS_A_UNIT: Final = 4
"""A city of more than 125 units gets longer: its scrape shares this machine with everything else."""
_START: Final = "10s"


@dataclass(frozen=True)
class Paging:
    """Where Prometheus and Alertmanager run."""

    prometheus: str
    alertmanager: str


def find_paging() -> tuple[str, str] | None:
    """The two programs on PATH, or None when one is missing."""
    prometheus = next(filter(None, map(shutil.which, _PROMETHEUS)), None)
    alertmanager = next(filter(None, map(shutil.which, _ALERTMANAGER)), None)
    return (prometheus, alertmanager) if prometheus and alertmanager else None


def start_paging(
    processes: Processes, programs: tuple[str, str], folder: Path, web_port: int, token_file: Path, units: int
) -> Paging:
    """Start both against the monitor of `units` units on `web_port`, and wait until they are ready. Files go to `folder`."""
    prometheus, alertmanager = programs
    prometheus_port, alertmanager_port = free_port(_PROMETHEUS_PORT), free_port(_ALERTMANAGER_PORT)
    routes = _write(folder / "alertmanager.yml", _routes(web_port, token_file))
    processes.start(
        "alertmanager",
        [
            alertmanager,
            f"--config.file={routes}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address={LOOPBACK}:{alertmanager_port}",
            "--cluster.listen-address=",
        ],
    )
    config = _write(folder / "prometheus.yml", _scrapes(folder, web_port, alertmanager_port, units))
    processes.start(
        "prometheus",
        [
            prometheus,
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address={LOOPBACK}:{prometheus_port}",
            "--rules.alert.resend-delay=1s",
        ],
    )
    processes.wait_until(lambda: answers(alertmanager_port), "Alertmanager", 15)
    processes.wait_until(lambda: answers(prometheus_port), "Prometheus", 15)
    return Paging(f"http://{LOOPBACK}:{prometheus_port}/", f"http://{LOOPBACK}:{alertmanager_port}/")


def _scrapes(folder: Path, web_port: int, alertmanager_port: int, units: int) -> dict[str, Any]:
    scrape = f"{max(_SCRAPE_MS, _SCRAPE_MS_A_UNIT * units)}ms"
    ops = files("ops") / "prometheus"
    shipped = sorted((ops / "rules").iterdir(), key=lambda file: file.name)
    rules = [_write(folder / "rules" / file.name, _at_once(yaml.safe_load(file.read_text(encoding="utf-8")))) for file in shipped]
    config: dict[str, Any] = yaml.safe_load((ops / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": scrape, "scrape_timeout": scrape, "evaluation_interval": scrape}
    config["rule_files"] = [str(path) for path in rules]
    config["scrape_configs"] = config["scrape_configs"][:1]  # its worker is started again by itself, and has no port
    del config["scrape_configs"][0]["scrape_interval"]
    config["scrape_configs"][0]["static_configs"] = [{"targets": [f"{LOOPBACK}:{web_port}"]}]
    config["alerting"]["alertmanagers"][0]["static_configs"] = [{"targets": [f"{LOOPBACK}:{alertmanager_port}"]}]
    return config


def _at_once(rules: dict[str, Any]) -> dict[str, Any]:
    for group in rules["groups"]:
        group.pop("interval", None)
        for rule in group["rules"]:
            rule.pop("keep_firing_for", None)
            if rule.pop("for", None) and rule.get("labels", {}).get("scope") == "monitor":
                rule["for"] = _START  # while the first events are on their way, nothing of ours has failed
    return rules


def _routes(web_port: int, token_file: Path) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((files("ops") / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8"))
    config["route"] |= {"group_wait": "0s", "group_interval": "1s"}
    for receiver in config["receivers"]:
        for webhook in receiver["webhook_configs"]:
            webhook["url"] = f"http://{LOOPBACK}:{web_port}/webhooks/alertmanager"
            webhook["http_config"]["authorization"]["credentials_file"] = str(token_file)
    return config


def _write(path: Path, content: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
