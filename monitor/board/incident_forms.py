"""Take care of an incident from its page: acknowledge it, mute it, close it. Shell: writes for who knows the duty code.

The code is typed into the form, or filled in by the browser's password store, and never kept in a cookie: no page of somebody
else's can have a reader's browser send it along.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qs

from fastapi import FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from monitor.board.duty_code import DutyCode, TooManyTriesError
from monitor.ledger.database import Engine
from monitor.ledger.incident_book import IncidentBook, incident_book
from schemas.errors import HipwatchError

MUTED_FOR: Final = timedelta(hours=4)
_LONGEST_NAME: Final = 100
_MAX_BODY: Final = 8192
"""Bytes: a name, a code and a note of a few hundred Chinese characters, each of which is nine bytes of a form."""
_Step = Callable[[IncidentBook, int, str, str], bool]
_STEPS: Final[Mapping[str, _Step]] = {
    "acknowledge": lambda book, number, by, note: book.acknowledge(number, by, note),
    "mute": lambda book, number, by, note: book.mute(number, by, datetime.now(UTC) + MUTED_FOR, note),
    "close": lambda book, number, by, note: book.close(number, by, note),
}
"""By the button that was pressed. False: there is no such incident, or it is over."""


def add_incident_forms(site: FastAPI, engine: Engine, code: str | None, page: Callable[[int, str], str]) -> None:
    """Take the form of /incidents/NUMBER from who knows `code`; `page` shows the incident with a sentence above the form."""
    duty_code = None if code is None else DutyCode(code)

    @site.post("/incidents/{number}")
    async def take_part(number: int, request: Request) -> Response:
        """Do what was asked, and lead back to the incident; a refusal is the same page, with the reason."""
        form = await _form(request)
        if duty_code is None:
            raise HTTPException(403, "no duty code is set: start serve with --duty-code-file or HIPWATCH_DUTY_CODE")
        try:
            status, problem, headers = await run_in_threadpool(_take_part, engine, duty_code, number, form)
            if not problem:
                return RedirectResponse(f"/incidents/{number}", status)
            return HTMLResponse(await run_in_threadpool(page, number, problem), status, headers)
        except HipwatchError as error:
            raise HTTPException(503, str(error)) from None


def _take_part(engine: Engine, code: DutyCode, number: int, form: Mapping[str, str]) -> tuple[int, str, Mapping[str, str]]:
    """The status of the answer, what was wrong (nothing if it is done), and headers of its own. Raises LedgerUnavailable."""
    try:
        if not code.is_right(form.get("code", "")):
            return 403, "值班口令不对 The duty code is wrong.", {}
    except TooManyTriesError as error:
        wait = f"口令多次不对，请 {error.seconds} 秒后再试 The duty code was wrong too often: try again in {error.seconds} s."
        return 429, wait, {"Retry-After": str(error.seconds)}
    by, step = form.get("by", "").strip()[:_LONGEST_NAME], _STEPS.get(form.get("do", ""))
    if not by or step is None:
        return 422, "请填写姓名或岗位，并选择操作 Say who you are, and what to do.", {}
    with incident_book(engine, datetime.now(UTC)) as book:
        done = 0 < number < 2**31 and step(book, number, by, form.get("note", "").strip())
    return (303, "", {}) if done else (409, "该事件已关闭 The incident is over already.", {})


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of a body that is not larger than a form can be; of a field that stands twice, the last."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MAX_BODY:
            raise HTTPException(413, f"a form has at most {_MAX_BODY} bytes")
    if b"%00" in body or b"\0" in body:  # PostgreSQL keeps no text with it
        raise HTTPException(422, "this is no form")
    try:
        return {name: values[-1] for name, values in parse_qs(body.decode("ascii"), errors="strict", max_num_fields=8).items()}
    except ValueError:
        raise HTTPException(422, "this is no form") from None
