"""By which names the site may be called, and what every answer tells a browser."""

from pathlib import Path

import pytest

from monitor.board.guard import may_be_called
from tests.unit.monitor.sites import running

OURS = frozenset({"watch.health.example"})


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:8080", "127.0.0.1", "10.1.2.3:80", "[::1]:8080", "[fe80::1]", "localhost", "serve:8080", "Watch", ""),
        *("watch.health.example", "WATCH.health.example:8080", "watch.health.example.", "hipwatch.localhost:80"),
    ],
)
def test_addresses_short_names_and_listed_names_are_ours(host: str) -> None:
    assert may_be_called(host, OURS)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "x.watch.health.example", "127.0.0.1.evil.example"])
def test_a_name_that_somebody_may_have_registered_is_not_ours(host: str) -> None:
    assert not may_be_called(host, OURS)


def test_a_strange_name_is_refused_with_what_to_do_about_it(tmp_path: Path) -> None:
    with running(tmp_path, allowed_hosts=["watch.health.example"]) as site:
        refused = site.client.get("/metrics", headers={"Host": "rebound.evil.example"})
        assert refused.status_code == 421
        assert "--allowed-host rebound.evil.example" in refused.text
        assert "hip_" not in refused.text
        assert site.client.get("/metrics", headers={"Host": "watch.health.example:8080"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/nothing"])
def test_every_answer_has_the_security_headers(path: str, tmp_path: Path) -> None:
    with running(tmp_path) as site:
        headers = site.client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
