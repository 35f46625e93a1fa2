"""The site: `/` the fleet, `/metrics`, `/healthz`, and Alertmanager's webhook. Shell."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.resources import files
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, FunctionLoader, select_autoescape
from sqlalchemy import Engine

from monitor import metrics
from monitor.database import LedgerUnavailable
from monitor.feeds import FEED_ZH
from monitor.incidents import WebhookMessage, list_incidents, record
from monitor.settings import ServeSettings
from monitor.watch import Watch
from monitor.web.fleet_page import fleet_page

_MAX_BODY = 4 << 20
"""Bytes; Alertmanager's largest notification of all our units is a tenth of it."""


def build_site(engine: Engine, watch: Watch, settings: ServeSettings) -> FastAPI:
    """The web application. Reads never touch Kafka; the only write is an authenticated webhook delivery."""
    site = FastAPI(title="hipwatch", docs_url=None, redoc_url=None, openapi_url=None)
    pages = Environment(loader=FunctionLoader(_template), autoescape=select_autoescape(default=True), trim_blocks=True)
    collector = metrics.SnapshotCollector(lambda: watch.latest, settings.stall_after, settings.stale_after)

    @site.middleware("http")
    async def limit(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        if int(request.headers.get("content-length") or 0) > _MAX_BODY:
            return JSONResponse({"detail": f"a body has at most {_MAX_BODY} bytes"}, status_code=413)
        return await answer(request)

    @site.get("/", response_class=HTMLResponse)
    def fleet() -> str:
        values: dict[str, Any] = fleet_page(watch.latest, watch.problem, _open_incidents(engine), settings, datetime.now(UTC))
        return pages.get_template("fleet.html").render(values, feed_zh=FEED_ZH)

    @site.get("/metrics")
    def exposition() -> Response:
        return Response(metrics.exposition(collector), media_type=metrics.CONTENT_TYPE)

    @site.get("/healthz")
    def health() -> JSONResponse:
        """200 while the ledger can be read; 503 with the reason otherwise."""
        if watch.problem is not None:
            return JSONResponse({"status": "ledger unreadable", "problem": watch.problem}, status_code=503)
        return JSONResponse({"status": "ok"})

    @site.post("/webhooks/alertmanager")
    def webhook(message: WebhookMessage, authorization: Annotated[str, Header()] = "") -> JSONResponse:
        """Alertmanager's deliveries. 5xx makes Alertmanager try again; 4xx does not."""
        if settings.webhook_token is None:
            raise HTTPException(403, "no webhook token is set: start serve with --webhook-token-file or HIPWATCH_WEBHOOK_TOKEN")
        if not secrets.compare_digest(authorization.encode(), f"Bearer {settings.webhook_token}".encode()):
            raise HTTPException(401, "the bearer token is missing or wrong")
        try:
            record(engine, message)
        except LedgerUnavailable as error:
            raise HTTPException(503, str(error)) from None
        return JSONResponse({"status": "recorded", "alerts": len(message.alerts)})

    return site


def _open_incidents(engine: Engine) -> list[Any]:
    try:
        return list(list_incidents(engine, open_only=True))
    except LedgerUnavailable:
        return []  # the page says by itself that the ledger cannot be read


def _template(name: str) -> str:
    return (files("monitor.web") / "templates" / name).read_text(encoding="utf-8")
