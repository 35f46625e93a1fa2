"""Alertmanager's webhook format, version 4, as far as we read it. Core."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from schemas.clock import from_millis, to_millis


def _whole_millis(moment: datetime) -> datetime:
    """As the ledger keeps it. Raises ValueError when it is in no year of ours."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    try:
        return from_millis(to_millis(aware))
    except OverflowError:
        raise ValueError("in UTC it lies before the year 1 or after the year 9999") from None


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd")  # JSON can say NUL, and PostgreSQL keeps none


Text = Annotated[str, AfterValidator(_storable)]


class Alert(BaseModel):
    """One alert of a webhook message (Alertmanager's webhook format, version 4)."""

    model_config = ConfigDict(populate_by_name=True)

    status: Literal["firing", "resolved"]
    labels: dict[Text, Text]
    annotations: dict[Text, Text] = Field(default_factory=dict)
    starts_at: Annotated[datetime, AfterValidator(_whole_millis)] = Field(alias="startsAt")
    ends_at: datetime | None = Field(default=None, alias="endsAt")
    fingerprint: Text = Field(min_length=1, max_length=200)

    @property
    def name(self) -> str:
        """The alert's name."""
        return self.labels.get("alertname", "")


class WebhookMessage(BaseModel):
    """What Alertmanager posts: one notification of one or more alerts. `truncated`: how many more it left out."""

    model_config = ConfigDict(populate_by_name=True)

    alerts: list[Alert]
    truncated: int = Field(default=0, ge=0, le=2**53, alias="truncatedAlerts")
