"""The site: `/` the fleet, `/metrics`, `/healthz`, and Alertmanager's webhook. Shell."""

import secrets
from datetime import UTC, datetime
from importlib.resources import files
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, FunctionLoader, select_autoescape
from pydantic import ValidationError
from sqlalchemy import Engine

from monitor import metrics
from monitor.feeds import FEED_ZH
from monitor.incidents import WebhookMessage, list_incidents, record
from monitor.settings import ServeSettings
from monitor.watch import Watch
from monitor.web.fleet_page import fleet_page
from schemas.errors import HipwatchError

_MAX_BODY = 4 << 20
"""Bytes; Alertmanager's largest notification of all our units is a tenth of it."""


def build_site(engine: Engine, watch: Watch, settings: ServeSettings) -> FastAPI:
    """The web application. Reads never touch Kafka; the only write is an authenticated webhook delivery."""
    site = FastAPI(title="hipwatch", docs_url=None, redoc_url=None, openapi_url=None)
    pages = Environment(loader=FunctionLoader(_template), autoescape=select_autoescape(default=True), trim_blocks=True)
    collector = metrics.SnapshotCollector(lambda: watch.latest, settings.stall_after, settings.stale_after)

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
    async def webhook(request: Request, authorization: Annotated[str, Header()] = "") -> JSONResponse:
        """Alertmanager's deliveries. 5xx makes Alertmanager try again; 4xx does not. Without the token no body is read."""
        if settings.webhook_token is None:
            raise HTTPException(403, "no webhook token is set: start serve with --webhook-token-file or HIPWATCH_WEBHOOK_TOKEN")
        if not secrets.compare_digest(authorization.encode(), f"Bearer {settings.webhook_token}".encode()):
            raise HTTPException(401, "the bearer token is missing or wrong")
        message = _message(await _body(request))
        try:
            await run_in_threadpool(record, engine, message)
        except HipwatchError as error:
            raise HTTPException(503, str(error)) from None
        return JSONResponse({"status": "recorded", "alerts": len(message.alerts)})

    return site


async def _body(request: Request) -> bytes:
    """The body, which is given up as soon as it is too large, whatever length was announced."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MAX_BODY:
            raise HTTPException(413, f"a body has at most {_MAX_BODY} bytes")
    return bytes(body)


def _message(body: bytes) -> WebhookMessage:
    try:
        return WebhookMessage.model_validate_json(body)
    except ValidationError as error:
        raise HTTPException(422, error.errors(include_url=False, include_context=False, include_input=False)) from None


def _open_incidents(engine: Engine) -> list[Any]:
    try:
        return list(list_incidents(engine, open_only=True))
    except HipwatchError:
        return []  # the page says by itself that the ledger cannot be read


def _template(name: str) -> str:
    return (files("monitor.web") / "templates" / name).read_text(encoding="utf-8")
