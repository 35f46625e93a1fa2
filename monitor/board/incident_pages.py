"""Where the links of a message lead: the incidents, one incident with its life, the runbook of an alert. Shell, read-only."""

import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse

from monitor.ledger.database import Engine
from monitor.ledger.incidents import find_incident, list_incidents
from schemas.clock import local_text
from schemas.errors import HipwatchError
from schemas.visible import one_line

Render = Callable[[str, dict[str, Any]], str]
"""A template's name and its values, to a page."""
_MOST: Final = 500
"""Incidents on one page; the command lists them all."""


def add_incident_pages(site: FastAPI, engine: Engine, render: Render, *, forms: bool) -> Callable[[int, str], str]:
    """`/incidents`, `/incidents/NUMBER` and `/runbooks/ALERT`. What is written there is escaped and made visible.

    With `forms` an open incident has one to take part in. Returns the page of one incident, with a sentence above its form.
    """

    @site.get("/incidents", response_class=HTMLResponse)
    def incidents() -> str:
        """The latest incidents, open ones first."""
        try:
            found = list_incidents(engine)
        except HipwatchError as error:
            raise HTTPException(503, str(error)) from None
        newest = list(found)[::-1]
        ordered = sorted(newest, key=lambda incident: incident.closed_at is not None)
        return render("incidents.html", {"incidents": ordered[:_MOST], "local": local_text, "shown": one_line})

    def page(number: int, problem: str = "") -> str:
        try:
            found = find_incident(engine, number) if 0 < number < 2**31 else None
        except HipwatchError as error:
            raise HTTPException(503, str(error)) from None
        if found is None:
            raise HTTPException(404, f"there is no incident {number}")
        values = {"incident": found[0], "life": found[1], "local": local_text, "shown": one_line}
        return render("incident.html", {**values, "forms": forms, "problem": problem})

    @site.get("/incidents/{number}", response_class=HTMLResponse)
    def incident(number: int) -> str:
        """One incident, its life, and how to take part in it."""
        return page(number)

    @site.get("/runbooks/{alertname}", response_class=HTMLResponse)
    def runbook(alertname: str) -> str:
        """The runbook of an alert, as it is written."""
        text = runbook_text(alertname)
        if text is None:
            raise HTTPException(404, "there is no runbook of that name")
        return render("runbook.html", {"name": alertname, "text": text})

    return page


def runbook_text(alertname: str) -> str | None:
    """The Markdown of an alert's runbook; None when there is none. A name is letters and digits: it leads to no other file."""
    if not re.fullmatch(r"[A-Za-z0-9]{1,80}", alertname):
        return None
    file = files("ops") / "runbooks" / f"{alertname}.md"
    return file.read_text(encoding="utf-8") if file.is_file() else None
