"""A rule and its verdict: what is wrong, since when, the numbers that show it, and what to say to the unit. Core."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from monitor.counting.feeds import Feed
from monitor.judgement.facts import CityFacts, UnitFacts
from schemas.events import UnitId
from schemas.register import Register

_NAMED: Final = 8
"""Tables that a sentence names; the evidence holds them all."""


class Severity(StrEnum):
    """What a finding asks for: call now, call on the next working day, or know about it."""

    PAGE = "page"
    TICKET = "ticket"
    SUMMARY = "summary"


class Text(NamedTuple):
    """The same sentence in both languages."""

    zh: str
    en: str


Evidence = Mapping[str, int | float | str | Sequence[str]]
"""Numbers, dates and codes by name; what JSON can hold."""


@dataclass(frozen=True)
class Verdict:
    """A rule holds for a unit (or the whole city: `unit_id` is None).

    `since` is the first bad day, never the day of detection. `lost` estimates the documents that are missing because of it,
    `unusual` says how far it lies from what the unit usually does (0: as ever, 10: beyond doubt).
    """

    rule: str
    severity: Severity
    since: date
    what: Text
    ask: Text
    feed: Feed | None = None
    unit_id: UnitId | None = None
    evidence: Evidence = field(default_factory=dict)
    lost: int = 0
    unusual: float = 0.0


@dataclass(frozen=True)
class NotEnoughHistory:
    """The rule cannot tell yet: it opens nothing, and closes nothing that is open."""

    rule: str
    feed: Feed | None = None


Outcome = Verdict | NotEnoughHistory
Check = Callable[[UnitFacts, CityFacts], Iterable[Outcome]]


@dataclass(frozen=True)
class Rule:
    """What the tables of rules print. `severity` is the usual one; a verdict may say less. `on_trial`: listed, not scored."""

    name: str
    title: Text
    fires: str
    needs: str
    severity: Severity
    on_trial: bool = False


@dataclass(frozen=True)
class Family:
    """Rules of one idea, worst first, and the checks that yield their verdicts."""

    rules: Sequence[Rule]
    checks: Sequence[Check]


def counted(number: int, thing: str) -> str:
    """So many of a thing, in English: `1 table`, `1,234 tables`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def named_tables(codes: Iterable[str], register: Register) -> Text:
    """Tables or forms by name, the first few of them; how many there are in all."""
    known = {**{str(c): (t.name_zh, t.name_en) for c, t in register.tables.items()}}
    known |= {str(c): (f.name_zh, f.name_en) for c, f in register.forms.items()}
    ordered = sorted(codes)
    shown = [(code, *known.get(code, (code, code))) for code in ordered[:_NAMED]]
    more = len(ordered) - len(shown)
    return Text(
        "、".join(f"{zh}({code})" for code, zh, _ in shown) + (f" 等 {len(ordered)} 张" if more else ""),
        ", ".join(f"{en} ({code})" for code, _, en in shown) + (f" and {more} more" if more else ""),
    )
