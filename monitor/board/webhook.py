"""Alertmanager's webhook: deliveries are recorded. Shell.

5xx makes Alertmanager try again at once; after a 4xx it drops the notification, but not the alerts: it has not noted them
as sent, and sends them with the group's next tick. So nothing is lost by a refusal, and it is not silent either: each is
logged and counted, and one that is too large is an incident of its own, which ends with the next delivery that is taken.
"""

import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import FastAPI, Header, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from monitor.ledger.database import Engine
from monitor.paging.incidents import Ask
from monitor.paging.receive import TOO_LARGE, UNREADABLE, forgive_refusals, note_refused, record
from monitor.paging.webhook_message import WebhookMessage
from schemas.errors import HipwatchError

log = logging.getLogger(__name__)
MAX_BODY: Final = 16 << 20
"""Bytes; ten thousand alerts with long texts are half of it."""


def add_webhook(site: FastAPI, engine: Engine, token: str | None, ask: Callable[[], Ask]) -> None:
    """Take deliveries at /webhooks/alertmanager from who shows the token; `ask` gives the ledger's answers of the moment."""

    @site.post("/webhooks/alertmanager")
    async def webhook(request: Request, authorization: Annotated[str, Header()] = "") -> JSONResponse:
        """Alertmanager's deliveries. Without the token no body is read."""
        _require_token(token, authorization)
        try:
            message = await _message(request)
        except _RefusedError as refused:
            log.error("a delivery of alerts was refused: %s", refused.detail)
            with suppress(HipwatchError):  # the log has it
                await run_in_threadpool(note_refused, engine, refused.reason)
            raise
        try:
            await run_in_threadpool(_take, engine, message, ask())
        except HipwatchError as error:
            raise HTTPException(503, str(error)) from None
        return JSONResponse({"status": "recorded", "alerts": len(message.alerts)})


class _RefusedError(HTTPException):
    """A delivery that is not taken. `reason` counts it."""

    def __init__(self, status: int, detail: object, reason: str) -> None:
        super().__init__(status, detail)
        self.reason = reason


def _take(engine: Engine, message: WebhookMessage, ask: Ask) -> None:
    now = datetime.now(UTC)
    record(engine, message, now, ask)
    forgive_refusals(engine, now)


def _require_token(token: str | None, authorization: str) -> None:
    if token is None:
        raise HTTPException(403, "no webhook token is set: start serve with --webhook-token-file or HIPWATCH_WEBHOOK_TOKEN")
    if not secrets.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
        raise HTTPException(401, "the bearer token is missing or wrong")


async def _message(request: Request) -> WebhookMessage:
    body = await _body(request)
    try:
        return await run_in_threadpool(WebhookMessage.model_validate_json, body)
    except ValidationError as error:
        said = error.errors(include_url=False, include_context=False, include_input=False)
        raise _RefusedError(422, said, UNREADABLE) from None


async def _body(request: Request) -> bytes:
    """The body, which is given up as soon as it is too large, whatever length was announced."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise _RefusedError(413, f"a body has at most {MAX_BODY} bytes", TOO_LARGE)
    return bytes(body)
