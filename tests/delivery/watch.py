"""What a delivery run measures: it waits for messages, says how late they came, and whether nobody was told of anything else.

Shell: waits, and watches.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from sqlalchemy import text

from monitor.ledger.incidents import list_incidents
from monitor.ledger.tables.paging import Incident
from schemas.clock import SHANGHAI
from tests.delivery.city import PERIOD
from tests.delivery.played import Units
from tests.delivery.stage import Stage
from tests.services.told import standing

PATIENCE: Final = 420.0
"""Seconds until a message counts as never coming."""
SETTLES: Final = 150.0
"""Seconds in which a message that should not be would come: a Watchdog's turn and the shipped distance of two messages."""
_BEHIND: Final = timedelta(hours=2)
"""So far the platform clock may be behind the units when an act begins."""
_OPENS, _CLOSES = 9, 14
"""Local hours between which an act begins: what stops then is missed while it is still day."""


class Failed(Exception):
    """What should have been told was not, or something else was."""


@dataclass(frozen=True)
class Row:
    """A line of the table: what was to be told, to whom, after how many seconds, and how often it was."""

    event: str
    target: str
    delay: float | None
    limit: float | None
    messages: int

    @property
    def good(self) -> bool:
        """Told once, and in time."""
        return self.messages == 1 and (self.delay is None or self.limit is None or self.delay <= self.limit)


@dataclass
class Watch:
    """`say` prints a line of progress. `rows` are what was measured, `problems` what was wrong besides."""

    stage: Stage
    units: Units
    say: Callable[[str], None]
    rows: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)

    def nothing_else(self, names: Mapping[str, str] = MappingProxyType({})) -> None:
        """Nobody was told of anything else (but of the units `names`), and of nothing twice."""
        self.say("waiting for messages that should not come")
        self.wait(SETTLES)
        self.rows = [
            Row(row.event, row.target, row.delay, row.limit, self._count(row.target, title))
            for row, title in zip(self.rows, self.titles, strict=True)
        ]
        for channel in self.stage.channels():
            others = [
                told.title
                for told in channel.read()
                if not any(title in told.title for title in self.titles) and not any(name in told.text for name in names.values())
            ]
            self.problems += [f"{channel.name}: nobody asked for “{title}”" for title in others]

    def finish(self) -> None:
        """Every robot's rules were kept, and every event was counted once."""
        self.units.stop()
        if self.units.failure is not None:
            self.problems.append(f"the units: {self.units.failure}")
        self.until(lambda: self.counted() >= self.units.sent, "every event is counted")
        self.say(f"{self.units.sent} events sent, {self.counted()} counted")
        if self.counted() != self.units.sent:
            self.problems.append(f"{self.units.sent} events were sent and {self.counted()} counted")
        self.problems += [f"refused by {refusal}" for refusal in self.stage.refused()]

    def told(self, event: str, title: str, due: float | None, limit: float | None, patience: float = PATIENCE) -> None:
        """Wait until every target was told; measure from `due` (monotonic), where there is such a moment."""
        for channel in self.stage.channels():
            self.until(lambda channel=channel: bool(channel.of(title)), f"{channel.name} is told “{title}”", patience)  # type: ignore[misc]
            found = channel.of(title)
            delay = None if due is None else found[0].at - due
            self.rows.append(Row(event, channel.name, delay, limit, len(found)))
            self.titles.append(title)
        shown = ", ".join("—" if row.delay is None else f"{row.delay:.1f} s" for row in self.rows[-4:])
        self.say(f"told: {title} ({shown})")

    def not_yet(self, title: str) -> None:
        """Nobody was told of this so far: it is not true yet."""
        early = [channel.name for channel in self.stage.channels() if channel.of(title)]
        self.problems += [f"{name}: “{title}” before it was so" for name in early]

    def by_day(self) -> None:
        """Wait until we have counted what came, and it is morning or noon."""
        self.until(lambda: self._keeps_up() and _OPENS <= self.local().hour < _CLOSES, "it is day, and we keep up")

    def passed(self, moment: datetime | None) -> float:
        """When the platform clock passed the moment that an incident begins or ends with."""
        if moment is None:
            raise Failed("an incident has no true start or end")
        self.until(lambda: self.stage.clock.now is not None and self.stage.clock.now >= moment, f"the clock passes {moment}")
        return self.stage.clock.passed(moment)

    def wait(self, seconds: float) -> None:
        """Let time pass, and look after the units meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._check()
            time.sleep(min(0.2, max(0.0, end - time.monotonic())))

    def incidents(self, units: Collection[str], *, is_open: bool) -> list[Incident]:
        """The latest silence of each of these units, once all are open, or all are closed."""

        def found() -> list[Incident]:
            silences = [one for one in list_incidents(self.stage.engine) if one.alertname == "UnitFeedSilent"]
            latest = {one.unit_id: one for one in silences if one.unit_id in units}
            return [one for one in latest.values() if (one.closed_at is None) is is_open]

        self.until(lambda: len(found()) == len(units), f"{len(units)} incidents are {'open' if is_open else 'closed'}")
        return found()

    def all_know(self, names: Mapping[str, str], silent: Collection[str], begun: Mapping[str, int]) -> None:
        """Wait until each target was told how these units stand, since it had `begun` (a number of messages)."""

        def ignorant() -> list[str]:
            last = {one.name: standing(one.read()[begun.get(one.name, 0) :], names) for one in self.stage.channels()}
            return [
                f"{names[unit]} at {name}"
                for name, told in last.items()
                for unit in names
                if told.get(unit, False) is not (unit in silent)
            ]

        end = time.monotonic() + PATIENCE
        while left := ignorant():
            if time.monotonic() > end:
                raise Failed(f"not told how they stand: {', '.join(left)}")
            self.wait(0.2)

    def since(self, title: str) -> float:
        """Seconds since the last target was told."""
        return time.monotonic() - max(channel.of(title)[-1].at for channel in self.stage.channels())

    def local(self) -> datetime:
        assert self.stage.clock.now is not None
        return self.stage.clock.now.astimezone(SHANGHAI)

    def until(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        end = time.monotonic() + seconds
        while not condition():
            self._check()
            if time.monotonic() > end:
                raise Failed(f"did not come true within {seconds:.0f} s: {what}")
            time.sleep(0.1)

    def _count(self, target: str, title: str) -> int:
        return next(len(channel.of(title)) for channel in self.stage.channels() if channel.name == target)

    def counted(self) -> int:
        with self.stage.engine.connect() as connection:
            return int(connection.execute(text("SELECT sum(accepted) FROM stream_state")).scalar() or 0)

    def _keeps_up(self) -> bool:
        clock, sent = self.stage.clock.now, self.units.at
        return clock is not None and sent is not None and sent - clock < _BEHIND

    def _check(self) -> None:
        if self.units.failure is not None:
            raise Failed(f"the units: {self.units.failure}")
        if self.units.at is not None and self.units.at.astimezone(SHANGHAI).date() >= PERIOD.last and not self.units.is_alive():
            raise Failed("the month is over before the acts are: give a day more seconds")
