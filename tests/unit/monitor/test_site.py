import json
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from monitor.ledger import tables
from monitor.ledger.incidents import incomplete_deliveries, list_incidents
from schemas.register import load_register
from tests.contract.contents import only_row, rows
from tests.factories import (
    NOON,
    OTHER_UNIT,
    make_alert,
    make_batch,
    make_delivery,
    make_event,
    make_forms,
    make_letter,
    make_watchdog,
)
from tests.unit.monitor.sites import BEARER, HOOK, TOKEN, Site, running

MIB = 1 << 20


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running(tmp_path) as site:
        yield site


class Page(HTMLParser):
    """What a reader sees of a page: the texts of its elements, by class or tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[tuple[str, str, str]] = []
        self._open: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "br"):
            self._open.append((tag, dict(attrs).get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag, "elements are nested properly"

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((*self._open[-1], data.strip()))

    def of_class(self, name: str) -> list[str]:
        return [text for _, classes, text in self.texts if name in classes.split()]

    def of_tag(self, name: str) -> list[str]:
        return [text for tag, _, text in self.texts if tag == name]


def banners(html: str) -> list[str]:
    return Page(html).of_class("banner")


# --- the fleet page --------------------------------------------------------------------------------------------------


def test_the_page_of_an_empty_ledger_lists_every_unit_and_says_that_nothing_was_counted(site: Site) -> None:
    html = site.page()
    page = Page(html)
    assert page.of_tag("h2") == ["Districts 各区 (12)", "Hospitals 医院 (40)"]
    assert all(unit.name_zh in html for unit in load_register().units.values())
    assert page.of_class("inactive").count("not in use 未启用") == 104
    assert banners(html) == [
        "尚未计入任何事件 · no event has been counted yet",
        "从未收到 Watchdog 心跳告警:告警通道未接通 · no Watchdog alert has ever arrived: paging is not connected",
    ]


def test_before_the_first_reading_the_page_says_so(tmp_path: Path) -> None:
    with running(tmp_path) as site:
        site.keeper.latest = None
        assert banners(site.client.get("/").text) == ["尚未读到任何数据 · nothing has been read yet"]


def test_a_page_with_data_shows_who_is_silent_first(site: Site) -> None:
    site.ledger.append(make_batch(make_forms(), make_forms(unit_id=OTHER_UNIT)))
    for number, hours in enumerate((20, 40, 49), 2):  # of a rhythm that is not known yet something is expected in two workdays
        later = NOON + timedelta(hours=hours)
        event = make_forms(unit_id=OTHER_UNIT, sequence=number, event_time=later)
        site.ledger.append(make_batch(event, first=number, received_at=later))
    site.ledger.append(make_batch(make_event(), make_event(), make_event(sequence=4), dead_letters=[make_letter(offset=3)]))
    site.advance()
    html = site.page()
    page = Page(html)
    assert "2024-09-12 12:02" in page.of_tag("td"), "the deadline, by local time"
    names = [text for _, classes, text in page.texts if classes == "name"]
    assert names[0] == "鼓楼区", "worst first"
    assert page.of_class("silent")[-1] == "silent 中断"
    assert "1 silent 中断" in page.of_class("silent")
    assert page.of_tag("b") == ["2024-09-12 13:00", "7", "1", "2", "1"]


def test_the_platform_clock_is_shown_in_local_time(site: Site) -> None:
    site.ledger.append(make_batch(make_event()))
    site.advance()
    assert "2024-09-10 12:00" in Page(site.page()).of_tag("b")


def test_a_clock_that_stands_still_is_a_banner(tmp_path: Path) -> None:
    with running(tmp_path, stall_after=timedelta(0)) as site:
        site.ledger.append(make_batch(make_event()))
        site.advance()
        assert any("platform clock has stood still" in banner for banner in banners(site.page()))


def test_a_clock_that_moves_is_no_banner(site: Site) -> None:
    site.ledger.append(make_batch(make_event()))
    site.advance()
    site.deliver(make_delivery(make_watchdog()))
    assert banners(site.page()) == []


def test_a_watchdog_that_stopped_arriving_is_a_banner(tmp_path: Path) -> None:
    with running(tmp_path, watchdog_after=timedelta(0)) as site:
        site.deliver(make_delivery(make_watchdog()))
        (_, banner) = banners(site.page())
        assert re.fullmatch(
            r"自 .+ 起未再收到 .+ · no Watchdog alert since \d{4}-\d\d-\d\d \d\d:\d\d: nobody is being paged", banner
        )


SCRIPT = "<script>alert('x')</script>"


def test_an_incidents_text_is_escaped(site: Site) -> None:
    texts = {"summary": SCRIPT, "summary_zh": ""}
    site.deliver(make_delivery(make_alert(labels={"alertname": f"{SCRIPT}&"}, annotations=texts)))
    html = site.page()
    page = Page(html)
    assert "script" not in page.tags
    assert SCRIPT not in html
    assert SCRIPT in page.of_class("name")
    assert f"{SCRIPT}&" in page.of_tag("td")


def test_open_incidents_are_shown_and_closed_ones_are_not(site: Site) -> None:
    site.deliver(make_delivery(make_alert(), make_alert(fingerprint="b", annotations={"summary_zh": "", "summary": "Plain"})))
    page = Page(site.page())
    assert page.of_tag("h2")[0] == "Open incidents 未关闭事件 (2)"
    assert {"鼓楼区中断", "Plain"} <= set(page.of_class("name"))
    site.deliver(make_delivery(make_alert(status="resolved"), make_alert(fingerprint="b", status="resolved")))
    assert "Open incidents" not in site.page()


# --- metrics and health ----------------------------------------------------------------------------------------------


def test_metrics_are_served_in_the_text_format(site: Site) -> None:
    answer = site.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'hip_unit_info{kind="district",name_en="Gulou District",name_zh="鼓楼区",unit_id="gulou"} 1.0' in answer.text


def test_health_is_unavailable_while_the_ledger_cannot_be_read(site: Site) -> None:
    assert site.client.get("/healthz").json() == {"status": "ok"}
    whole = site.break_ledger()
    site.keeper.refresh()
    answer = site.client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "ledger unreadable"
    assert "the file is no SQLite database" in answer.json()["problem"]
    site.engine.dispose()
    site.path.write_bytes(whole)
    site.keeper.refresh()
    assert site.client.get("/healthz").status_code == 200


def test_the_page_of_a_ledger_that_cannot_be_read_shows_what_was_read_before_and_says_so(site: Site) -> None:
    site.ledger.append(make_batch(make_event()))
    site.advance()
    assert site.page()
    site.break_ledger()
    html = site.page()
    assert "the ledger cannot be read: the database sqlite:///" in banners(html)[0]
    assert "鼓楼区" in html
    assert site.client.get("/metrics").status_code == 200


# --- the webhook -----------------------------------------------------------------------------------------------------


def test_a_delivery_with_the_token_is_recorded(site: Site) -> None:
    answer = site.client.post(HOOK, json=make_delivery(make_alert(), make_watchdog()), headers=BEARER)
    assert (answer.status_code, answer.json()) == (200, {"status": "recorded", "alerts": 2})
    assert [incident.alertname for incident in list_incidents(site.engine)] == ["UnitFeedSilent"]
    assert {row["alertname"] for row in rows(site.engine, tables.Delivery)} == {"UnitFeedSilent", "Watchdog"}


def test_a_repeated_delivery_is_the_same_incident(site: Site) -> None:
    for _ in range(3):
        site.deliver(make_delivery(make_alert()))
    assert only_row(site.engine, tables.Incident)["deliveries"] == 3


WRONG_TOKENS: list[dict[str, str]] = [
    {},
    {"Authorization": ""},
    {"Authorization": TOKEN},
    {"Authorization": f"Basic {TOKEN}"},
    {"Authorization": "Bearer "},
    {"Authorization": f"Bearer {TOKEN} "[:-2]},
    {"Authorization": f"Bearer {TOKEN}x"},
]


@pytest.mark.parametrize("headers", WRONG_TOKENS, ids=str)
def test_without_the_token_nothing_is_recorded(headers: dict[str, str], site: Site) -> None:
    answer = site.client.post(HOOK, json=make_delivery(make_alert()), headers=headers)
    assert answer.status_code == 401
    assert TOKEN not in answer.text
    assert rows(site.engine, tables.Incident) == []


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"[" * 100_000, b"\xff"])
def test_without_the_token_a_body_is_not_even_looked_at(body: bytes, site: Site) -> None:
    assert site.client.post(HOOK, content=body).status_code == 401


@pytest.mark.parametrize("headers", [{}, BEARER, {"Authorization": "Bearer None"}, {"Authorization": "Bearer "}], ids=str)
def test_a_site_without_a_token_refuses_everybody(headers: dict[str, str], tmp_path: Path) -> None:
    with running(tmp_path, token=None) as site:
        answer = site.client.post(HOOK, json=make_delivery(make_alert()), headers=headers)
        assert answer.status_code == 403
        assert "--webhook-token-file" in answer.json()["detail"]
        assert rows(site.engine, tables.Incident) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'{"alerts": {}}',
        b'{"alerts": [{}]}',
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps(make_delivery(make_alert(status="pending"))).encode(),
        json.dumps(make_delivery(make_alert(startsAt="9999-12-31T23:59:59-12:00"))).encode(),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_a_body_that_is_no_delivery_is_unprocessable(body: bytes, site: Site) -> None:
    answer = site.client.post(HOOK, content=body, headers={**BEARER, "Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert rows(site.engine, tables.Incident) == []


def padded(size: int) -> bytes:
    """A valid delivery of `size` bytes."""
    body = json.dumps(make_delivery(make_alert())).encode()
    return body + b" " * (size - len(body))


def test_a_body_of_sixteen_mebibytes_is_taken_and_a_larger_one_is_not(site: Site) -> None:
    assert site.client.post(HOOK, content=padded(16 * MIB), headers=BEARER).status_code == 200
    answer = site.client.post(HOOK, content=padded(16 * MIB + 1), headers=BEARER)
    assert answer.status_code == 413
    assert str(16 * MIB) in answer.json()["detail"]
    taken, refused = list_incidents(site.engine)
    assert (taken.deliveries, refused.alertname, refused.closed_at) == (1, "DeliveryRefused", None)
    assert [(row.reason, row.deliveries) for row in incomplete_deliveries(site.engine)] == [("too_large", 1)]
    site.deliver(make_delivery(make_alert()))
    assert [incident.alertname for incident in list_incidents(site.engine, open_only=True)] == ["UnitFeedSilent"]


def test_a_large_body_without_a_stated_length_is_refused_too(site: Site) -> None:
    sent = []

    def parts() -> Iterator[bytes]:
        body = padded(17 * MIB)
        for start in range(0, len(body), MIB):
            sent.append(start)
            yield body[start : start + MIB]

    answer = site.client.post(HOOK, content=parts(), headers=BEARER)
    assert answer.request.headers["transfer-encoding"] == "chunked"
    assert answer.status_code == 413
    assert [incident.alertname for incident in list_incidents(site.engine)] == ["DeliveryRefused"]


def test_a_length_that_is_no_number_is_no_server_error(site: Site) -> None:
    answer = site.client.post(HOOK, content=padded(1000), headers={**BEARER, "Content-Length": "many"})
    assert answer.status_code < 500


def test_while_the_ledger_cannot_be_written_alertmanager_is_asked_to_try_again(site: Site) -> None:
    whole = site.break_ledger()
    answer = site.client.post(HOOK, json=make_delivery(make_alert()), headers=BEARER)
    assert answer.status_code == 503
    assert "\n" not in answer.json()["detail"]
    site.engine.dispose()
    site.path.write_bytes(whole)
    site.deliver(make_delivery(make_alert()))
    assert only_row(site.engine, tables.Incident)["deliveries"] == 1


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/redoc", "/nowhere", "/webhooks"])
def test_there_is_nothing_else(path: str, site: Site) -> None:
    assert site.client.get(path).status_code == 404


def test_the_webhook_only_takes_posts(site: Site) -> None:
    methods: list[Any] = [site.client.get, site.client.put, site.client.delete]
    assert {method(HOOK, headers=BEARER).status_code for method in methods} == {405}


def test_a_page_view_asks_the_database_for_nothing(site: Site) -> None:
    site.deliver(make_delivery(make_alert()))
    site.keeper.refresh()
    asked: list[str] = []
    event.listen(site.engine, "before_cursor_execute", lambda *arguments: asked.append(str(arguments[2])))
    assert "Open incidents" in site.client.get("/").text
    assert asked == []


def test_what_a_sender_hides_in_a_summary_is_shown(site: Site) -> None:
    site.deliver(make_delivery(make_alert(annotations={"summary_zh": "秦淮区\u202e\x1b[2J中断"})))
    page = site.page()
    assert r"秦淮区\u202e\x1b[2J中断" in page
    assert "\u202e" not in page


def test_the_links_of_a_message_lead_somewhere(site: Site) -> None:
    forged = make_alert(annotations={"summary_zh": "<script>alert(1)</script>\x1b[2J"})
    site.deliver(make_delivery(forged))
    for path, shown in (
        ("/incidents", "gulou"),
        ("/incidents/1", "hipwatch incidents ack 1"),
        ("/runbooks/UnitFeedSilent", "## Mitigation"),
    ):
        answer = site.client.get(path)
        assert (answer.status_code, shown in answer.text) == (200, True), path
        assert "<script>" not in answer.text
        assert "\x1b" not in answer.text


@pytest.mark.parametrize(
    "path",
    ["/incidents/2", "/incidents/0", "/incidents/99999999999", "/runbooks/None", "/runbooks/..%2FREADME", "/runbooks/x.md"],
)
def test_a_link_to_nothing_is_not_found(site: Site, path: str) -> None:
    assert site.client.get(path).status_code == 404
