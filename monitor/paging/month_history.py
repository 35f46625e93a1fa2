"""A month that is past as OpenMetrics, one sample a day: what `/metrics` says of a running month, by business date. Shell.

Only what the ledger can still tell of a past day. Families come whole, their series one after the other, each in order of time,
as the format demands; one figure is held at a time, and of the text one series.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Metric
from prometheus_client.openmetrics.exposition import generate_latest

from monitor.counting.changes import FeedProgress
from monitor.counting.feeds import Feed
from monitor.judgement.unit_status import FeedCondition
from monitor.ledger.database import Engine
from monitor.ledger.flips import read_flips
from monitor.ledger.month_days import read_month_days
from monitor.ledger.snapshot import read_facts
from monitor.ledger.tables import Flip
from monitor.paging.gauges import (
    FEED_CONDITION,
    FEED_CONDITION_SINCE,
    FEED_SEEN,
    MONTH_START,
    PLATFORM_CLOCK,
    TABLES_REQUIRED,
    UNIT_INFO,
    UNIT_SEEN,
    Gauge,
)
from monitor.paging.month_metrics import INDICATORS, Indicator, month_start, tables_required
from schemas.clock import start_of_day
from schemas.errors import HipwatchError
from schemas.events import UnitId
from schemas.period import Period
from schemas.register import Register, Unit

_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_END: Final = "# EOF\n"
_Series = tuple[Sequence[str], Sequence[float | None]]
"""Label values, and a value for each day; None where there is none."""


def month_history(engine: Engine, register: Register, period: Period, units: Sequence[Unit]) -> Iterator[str]:
    """The text of `period`, piece by piece, for `units` of the register.

    A sample stands at the last second of its day in Beijing, that of the running day at the platform clock. Each figure is read
    in a transaction of its own: of a month that is still counted one may be a moment older than another. Raises HipwatchError
    where the platform clock has not come to the month, LedgerUnavailable.
    """
    facts = read_facts(engine)
    moments = [] if facts.clock is None else _moments(period, facts.clock)
    if not moments:
        raise HipwatchError(f"the platform clock has not come to {period} yet: there is no day of it to tell of")
    return _text(engine, register, period, units, moments, facts.progress)


def _moments(period: Period, clock: datetime) -> list[int]:
    """When the days that have begun were over, in seconds since 1970."""
    begun = [day for day in map(start_of_day, period.days) if day <= clock]
    return [int(min(day + _DAY - _SECOND, clock).timestamp()) for day in begun]


def _text(
    engine: Engine,
    register: Register,
    period: Period,
    units: Sequence[Unit],
    moments: Sequence[int],
    progress: Mapping[tuple[UnitId, Feed], FeedProgress],
) -> Iterator[str]:
    days = len(moments)

    def family(gauge: Gauge, series: Iterable[_Series]) -> Iterator[str]:
        return _family(gauge, series, moments)

    yield from family(PLATFORM_CLOCK, [([], moments)])
    yield from family(MONTH_START, [([], [month_start(period)] * days)])
    yield from family(UNIT_INFO, (([unit.unit_id, unit.kind, unit.name_zh, unit.name_en], [1] * days) for unit in units))
    first = {key: found.first_event_at.timestamp() for key, found in progress.items()}
    yield from family(UNIT_SEEN, (_seen(moments, first, unit, list(Feed)) for unit in units))
    yield from family(FEED_SEEN, (_seen(moments, first, unit, [feed], feed) for unit in units for feed in Feed))
    silences: dict[tuple[str, str], list[Flip]] = defaultdict(list)
    for flip in read_flips(engine, since=start_of_day(period.first)):
        silences[flip.unit_id, flip.feed].append(flip)
    for gauge in (FEED_CONDITION, FEED_CONDITION_SINCE):
        yield from family(gauge, (_silent(gauge, moments, silences, unit, feed) for unit in units for feed in Feed))
    yield from family(TABLES_REQUIRED, (([u.unit_id], [tables_required(register, u.unit_id, period)] * days) for u in units))
    for indicator in INDICATORS:
        yield from family(indicator.gauge, _of_indicator(engine, period, units, indicator))
    yield _END


def _family(gauge: Gauge, series: Iterable[_Series], moments: Sequence[int]) -> Iterator[str]:
    """Its text, one series at a time: what describes it stands above the first."""
    described = False
    for labels, values in series:
        family = gauge.family()
        for moment, value in zip(moments, values, strict=False):
            if value is not None:
                family.add_metric(labels, value, timestamp=moment)
        if family.samples:
            text: str = generate_latest(_Only(family)).decode().removesuffix(_END)  # type: ignore[no-untyped-call]
            yield text.split("\n", 2)[2] if described else text
            described = True


class _Only:
    """A registry of one family."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterable[Metric]:
        return [self._family]


def _seen(
    moments: Sequence[int], first: Mapping[tuple[UnitId, Feed], float], unit: Unit, feeds: Sequence[Feed], *labels: str
) -> _Series:
    """Whether it had been seen on any of `feeds`."""
    seen = min((first[unit.unit_id, feed] for feed in feeds if (unit.unit_id, feed) in first), default=None)
    return [unit.unit_id, *labels], [float(seen is not None and seen <= moment) for moment in moments]


def _silent(
    gauge: Gauge, moments: Sequence[int], silences: Mapping[tuple[str, str], Sequence[Flip]], unit: Unit, feed: Feed
) -> _Series:
    """On the days on which it was silent."""
    found = silences.get((unit.unit_id, feed), ())
    began = [next((at for at, until in map(_span, found) if at < moment < until), None) for moment in moments]
    values = began if gauge is FEED_CONDITION_SINCE else [None if at is None else 1 for at in began]
    return [unit.unit_id, feed, FeedCondition.SILENT], values


def _span(flip: Flip) -> tuple[float, float]:
    return flip.started_at.timestamp(), float("inf") if flip.ended_at is None else flip.ended_at.timestamp()


def _of_indicator(engine: Engine, period: Period, units: Sequence[Unit], indicator: Indicator) -> Iterator[_Series]:
    figures = {value: read_month_days(engine, period, figure) for value, figure in indicator.figures.items()}
    nothing: Sequence[int | None] = [None] * len(period.days)
    for unit in units:
        for value, by_unit in figures.items():
            days = by_unit.get(unit.unit_id, nothing)
            yield indicator.labels(unit.unit_id, value), [indicator.shown(figure) for figure in days]
