"""What may stand in a targets file, key by key. Core; strict: what is not listed here is an error.

Times of day are `HH:MM`, Beijing time; the unit of every number stands in its key.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, Strict

from monitor.paging.message import Severity
from monitor.paging.target import Kind, Match, Pace
from monitor.paging.wording import Language
from schemas.toml_file import Section

_ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
_Text = Annotated[str, Field(min_length=1, max_length=500)]
_Mailbox = Annotated[str, Field(pattern=r"^[!-+\--;=?A-~]+@[!-+\--;=?A-~]+$", max_length=320)]
"""Without `,`, `<`, `>` and `@`, and in ASCII: few mail servers take other addresses."""
_Severity = Annotated[Severity, Strict(False)]
_Kind = Annotated[Kind, Strict(False)]
_Language = Annotated[Language, Strict(False)]
"""Enums are written as their values."""


class MatchEntry(Section):
    severity: list[_Severity] = Field(default_factory=list)
    scope: list[_Text] = Field(default_factory=list)
    district: list[_Text] = Field(default_factory=list)
    unit_kind: list[_Text] = Field(default_factory=list)
    unit: list[_Text] = Field(default_factory=list)
    alert: list[_Text] = Field(default_factory=list)

    def value(self) -> Match:
        return Match(**{name: tuple(map(str, getattr(self, name))) for name in MatchEntry.model_fields})


class MentionEntry(MatchEntry):
    who: Annotated[list[_Text], Field(min_length=1, max_length=50)]


class QuietEntry(Section):
    start: _ClockTime
    end: _ClockTime


class PaceEntry(Section):
    settle_seconds: Annotated[float, Field(ge=0, le=600)] = 10
    at_most_seconds: Annotated[float, Field(ge=0, le=3600)] = 180
    apart_seconds: Annotated[float, Field(ge=0, le=86_400)] = 120
    remind_after_hours: Annotated[float, Field(ge=0, le=168)] = 4
    flaps_per_hour: Annotated[int, Field(ge=1, le=100)] = 4
    flap_hold_minutes: Annotated[float, Field(ge=0, le=1440)] = 30

    def value(self) -> Pace:
        remind = timedelta(hours=self.remind_after_hours) or None
        seconds = (timedelta(seconds=one) for one in (self.settle_seconds, self.at_most_seconds, self.apart_seconds))
        settle, at_most, apart = seconds
        return Pace(settle, at_most, apart, remind, self.flaps_per_hour, timedelta(minutes=self.flap_hold_minutes))


class SmtpEntry(Section):
    host: _Text
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    sender: _Mailbox
    to: Annotated[list[_Mailbox], Field(min_length=1, max_length=100)]
    user: str = ""
    password: str = ""
    password_file: str = ""
    password_env: str = ""
    ca_file: str = ""


class TargetEntry(Section):
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    kind: _Kind
    url: str = ""
    url_file: str = ""
    url_env: str = ""
    secret: str = ""
    secret_file: str = ""
    secret_env: str = ""
    token: str = ""
    token_file: str = ""
    token_env: str = ""
    language: _Language | None = None
    recoveries: bool = True
    summary_at: _ClockTime | None = None
    per_minute: Annotated[int, Field(ge=1, le=1000)] | None = None
    allow_private: bool = False
    proxy: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    ca_file: str = ""
    route: list[MatchEntry] = Field(default_factory=list)
    mention: list[MentionEntry] = Field(default_factory=list)
    quiet: QuietEntry | None = None
    pace: PaceEntry | None = None
    smtp: SmtpEntry | None = None


class FileEntry(Section):
    page_url: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    language: _Language = Language.ZH
    pace: PaceEntry = PaceEntry()
    target: Annotated[list[TargetEntry], Field(min_length=1, max_length=100)]
