"""Prometheus' and Alertmanager's configuration for containers: the demo's time-lapse one, with names for addresses."""

import secrets
from pathlib import Path
from typing import Any, Final

import yaml

from hipwatch.local import prometheus as paging
from schemas.register import load_register

_SERVE: Final = "127.0.0.1:8080"
_ALERTMANAGER: Final = "127.0.0.1:9093"


def write_paging(folder: Path, serve: str, alertmanager: str) -> None:
    """Write prometheus.yml, rules/, alertmanager.yml and webhook-token to `folder`, readable for everybody.

    The paths in them are those of `folder`: mount it where it is. Addresses are HOST:PORT.
    """
    folder.mkdir(mode=0o755)
    token = folder / "webhook-token"
    token.write_text(secrets.token_urlsafe(32), encoding="ascii")
    names = {_SERVE: serve, _ALERTMANAGER: alertmanager}
    _write(folder / "prometheus.yml", paging._scrapes(folder, 8080, 9093, len(load_register().units)), names)
    _write(folder / "alertmanager.yml", paging._routes(8080, token), names)


def _write(path: Path, config: dict[str, Any], names: dict[str, str]) -> None:
    text = yaml.safe_dump(config, allow_unicode=True, sort_keys=False)
    for address, name in names.items():
        text = text.replace(address, name)
    assert "127.0.0.1" not in text
    path.write_text(text, encoding="utf-8")
