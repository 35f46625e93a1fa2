"""The site: `/` the units, `/metrics`, `/healthz`, the incidents, and Alertmanager's webhook. Shell."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, FunctionLoader, select_autoescape
from starlette.middleware.gzip import GZipMiddleware

from monitor.board.guard import SiteGuard
from monitor.board.incident_forms import add_incident_forms
from monitor.board.incident_pages import add_incident_pages
from monitor.board.pages.findings import findings_section
from monitor.board.pages.units import units_page
from monitor.board.snapshot_keeper import SnapshotKeeper
from monitor.board.webhook import add_webhook
from monitor.counting.feeds import FEED_ZH
from monitor.judgement.finding_keeper import FindingKeeper
from monitor.judgement.judge import Snapshot
from monitor.ledger.database import Engine
from monitor.paging.exposition import CONTENT_TYPE, Exposition
from monitor.paging.ledger_truth import ask_snapshot
from monitor.settings import ServeSettings

_WORTH_PACKING: Final = 16 << 10
"""Bytes of a page; with ten thousand units that of all units is 3 MB."""


def build_site(
    engine: Engine,
    keeper: SnapshotKeeper[Snapshot],
    findings: FindingKeeper,
    settings: ServeSettings,
    exposition: Exposition,
    notices: Callable[[], Sequence[str]] = tuple,
) -> FastAPI:
    """The web application; `exposition` is what /metrics answers, `notices` stand on the page before all else.

    Reads never touch Kafka; what writes is a delivery with the webhook's token, and the form of an incident with the duty code.
    """
    site = FastAPI(title="hipwatch", docs_url=None, redoc_url=None, openapi_url=None)
    site.add_middleware(SiteGuard, hosts=[settings.host, *settings.allowed_hosts], pages=map(_template, _template_names()))
    site.add_middleware(GZipMiddleware, minimum_size=_WORTH_PACKING, compresslevel=1)
    pages = Environment(loader=FunctionLoader(_template), autoescape=select_autoescape(default=True), trim_blocks=True)

    @site.get("/", response_class=HTMLResponse)
    def units() -> str:
        values: dict[str, Any] = units_page(keeper.latest, keeper.problem, settings, datetime.now(UTC))
        values["banners"] = [*notices(), *values["banners"]]
        return pages.get_template("units.html").render(values, feed_zh=FEED_ZH, findings=findings_section(findings.open))

    @site.get("/metrics")
    def metrics(request: Request) -> Response:
        headers = {"Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(exposition.plain(), headers=headers, media_type=CONTENT_TYPE)
        return Response(exposition.packed(), headers={**headers, "Content-Encoding": "gzip"}, media_type=CONTENT_TYPE)

    @site.get("/healthz")
    def health() -> JSONResponse:
        """200 while the ledger can be read; 503 with the reason otherwise."""
        if keeper.problem is not None:
            return JSONResponse({"status": "ledger unreadable", "problem": keeper.problem}, status_code=503)
        return JSONResponse({"status": "ok"})

    add_webhook(site, engine, settings.webhook_token, lambda: ask_snapshot(keeper.latest))
    code = settings.duty_code
    page = add_incident_pages(site, engine, lambda name, values: pages.get_template(name).render(values), forms=code is not None)
    add_incident_forms(site, engine, code, page)
    return site


def _template_names() -> list[str]:
    return [file.name for file in (files("monitor.board") / "templates").iterdir() if file.name.endswith(".html")]


def _template(name: str) -> str:
    return (files("monitor.board") / "templates" / name).read_text(encoding="utf-8")
