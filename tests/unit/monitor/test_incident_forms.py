"""Whoever knows the duty code takes care of an incident on its page; nobody else does."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hipwatch.cli.running import duty_code
from monitor.board.duty_code import WITHIN_SECONDS, WRONG_TRIES, DutyCode, TooManyTriesError
from monitor.ledger.incidents import find_incident
from monitor.ledger.tables import Incident, IncidentEvent
from schemas.errors import HipwatchError
from tests.factories import make_alert, make_delivery
from tests.unit.monitor.sites import Site, running

CODE = "correct horse 电池"
FORM = {"by": "值班", "code": CODE, "note": "已电话联系 & 记录", "do": "acknowledge"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running(tmp_path, duty_code=CODE) as site:
        site.deliver(make_delivery(make_alert()))
        yield site


def post(site: Site, **changed: str) -> Any:
    return site.client.post("/incidents/1", data={**FORM, **changed}, follow_redirects=False)


def incident(site: Site) -> tuple[Incident, list[IncidentEvent]]:
    found = find_incident(site.engine, 1)
    assert found is not None
    return found[0], list(found[1])


def last_line(site: Site) -> tuple[str, str, str]:
    line = incident(site)[1][-1]
    return line.kind, line.by, line.text


def test_an_incident_is_acknowledged_on_its_page(site: Site) -> None:
    assert '<form method="post" action="/incidents/1">' in site.client.get("/incidents/1").text
    answer = post(site)
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents/1")
    assert last_line(site) == ("acknowledged", "值班", "已电话联系 & 记录")
    assert incident(site)[0].acknowledged_by == "值班"
    assert "已电话联系 &amp; 记录" in site.client.get("/incidents/1").text


def test_an_incident_is_muted_and_closed_on_its_page(site: Site) -> None:
    assert post(site, do="mute").status_code == 303
    muted_until = incident(site)[0].muted_until
    assert muted_until is not None
    assert timedelta(hours=3, minutes=50) < muted_until - datetime.now(UTC) <= timedelta(hours=4)
    assert post(site, do="close", note="").status_code == 303
    assert last_line(site) == ("closed", "值班", "")
    assert "<form" not in site.client.get("/incidents/1").text, "it is over"
    late = post(site)
    assert (late.status_code, "The incident is over already" in late.text) == (409, True)
    assert last_line(site)[0] == "closed"


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"code": "correct horse"}, 403, "The duty code is wrong."),
        ({"code": ""}, 403, "The duty code is wrong."),
        ({"by": "  "}, 422, "Say who you are, and what to do."),
        ({"do": "erase"}, 422, "Say who you are, and what to do."),
        ({"note": "x" * 9000}, 413, "a form has at most"),
    ],
)
def test_a_form_that_is_refused_changes_nothing_and_says_why(site: Site, changed: dict[str, str], status: int, said: str) -> None:
    answer = post(site, **changed)
    assert (answer.status_code, said in answer.text) == (status, True)
    assert CODE not in answer.text
    assert last_line(site)[0] == "opened"


def test_after_a_few_wrong_codes_nobody_is_let_in_for_a_while(site: Site) -> None:
    for number in range(WRONG_TRIES):
        assert post(site, code=f"guess {number}").status_code == 403
    for code in ("guess again", CODE):
        answer = post(site, code=code)
        assert (answer.status_code, "The duty code was wrong too often" in answer.text) == (429, True)
        assert 0 < int(answer.headers["retry-after"]) <= WITHIN_SECONDS
        assert '<form method="post"' in answer.text, "it may be tried again"
    assert last_line(site)[0] == "opened"


def test_a_code_may_be_tried_again_as_soon_as_the_oldest_wrong_try_is_long_past() -> None:
    clock = [0.0]
    code = DutyCode(CODE, lambda: clock[0])
    for second in range(WRONG_TRIES):
        clock[0] = second
        assert code.is_right(CODE), "a right one costs no try, and takes none back"
        assert not code.is_right("a guess")
    clock[0] = 100.5
    with pytest.raises(TooManyTriesError) as refused:
        code.is_right(CODE)
    assert refused.value.seconds == 200
    clock[0] = WITHIN_SECONDS
    assert not code.is_right("one more guess")
    with pytest.raises(TooManyTriesError) as refused:
        code.is_right(CODE)
    assert refused.value.seconds == 1
    clock[0] = 2 * WITHIN_SECONDS + 1
    assert code.is_right(CODE)


def test_of_many_guesses_at_once_no_more_are_looked_at() -> None:
    code = DutyCode(CODE)
    refused: list[int] = []

    def guess() -> None:
        for _ in range(50):
            try:
                assert not code.is_right("a guess")
            except TooManyTriesError:
                refused.append(1)

    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 8 * 50 - WRONG_TRIES


def test_what_is_no_form_and_what_is_no_incident_is_refused(site: Site) -> None:
    for body in (b"\xff=1", b"by=%ff", b"by=a%00b", "&".join(f"f{number}=1" for number in range(20)).encode()):
        assert site.client.post("/incidents/1", content=body).status_code == 422, body
    assert site.client.post("/incidents/7", data=FORM).status_code == 404
    assert site.client.post(f"/incidents/{10**30}", data=FORM).status_code == 404
    assert last_line(site)[0] == "opened"


def test_without_a_code_nobody_takes_part_on_the_page(tmp_path: Path) -> None:
    with running(tmp_path) as site:
        site.deliver(make_delivery(make_alert()))
        assert "<form" not in site.client.get("/incidents/1").text
        for code in ("", "None"):
            answer = post(site, code=code)
            assert (answer.status_code, "--duty-code-file" in answer.text) == (403, True)
        assert last_line(site)[0] == "opened"


def test_a_code_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "duty-code"
    file.write_text("1234\n", encoding="utf-8")
    with pytest.raises(HipwatchError, match="the duty code has 4 characters; with fewer than 12"):
        duty_code(file)
    file.write_text("a3f09c1d7e55b2aa\n", encoding="utf-8")
    assert duty_code(file) == "a3f09c1d7e55b2aa"


def test_a_page_that_is_written_is_escaped(site: Site) -> None:
    assert post(site, by="<b>me</b>", note="<script>\x1b[2J").status_code == 303
    page = site.client.get("/incidents/1").text
    assert "<script>" not in page
    assert "<b>" not in page
    assert "\x1b" not in page
