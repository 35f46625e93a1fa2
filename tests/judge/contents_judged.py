"""The contents of the made-up city with their faults, and what the rules say of them; or a judge that says nothing, or all."""

from dataclasses import dataclass, replace

import numpy as np

from monitor.judgement.find import SUMMARY_HOUR
from monitor.judgement.findings import Finding
from monitor.judgement.rules.verdict import Severity, Text
from schemas.clock import local_date
from schemas.events import Event
from schemas.register import Register, load_register
from tests.judge.city import Days
from tests.judge.contents import Delivery, made_up_register, make_deliveries, make_habits, unit_id_of
from tests.judge.documents import events_of, moment_of
from tests.judge.half_dead import HALF_DEAD_KINDS, make_half_dead
from tests.judge.history import History
from tests.judge.mornings import FIRST_CALLS, Called, Judged, Silent, judge_mornings
from tests.judge.run import Played
from tests.judge.score_findings import Labels


@dataclass
class Contents:
    """What a city's uploads hold. `events` in the order of their arrival, with the local hour of it."""

    register: Register
    events: list[tuple[float, Event]]
    labels: Labels
    days: Days

    @classmethod
    def make(cls, history: History) -> "Contents":
        """Draw habits, deliveries and faults."""
        random = np.random.default_rng([history.seed, 1])
        faults, days = history.faults, history.days
        register = made_up_register(load_register(), history.units)
        deliveries: list[list[Delivery]] = []
        for row, (sender, uploads) in enumerate(zip(history.senders, history.uploads, strict=True)):
            habits = make_habits(register, register.units[unit_id_of(row // 2)].kind, sender.feed, random)
            deliveries.append(make_deliveries(sender, row, faults, habits, uploads, days, random))
        half_dead = make_half_dead(deliveries, faults, days, random)
        return cls(register, events_of(deliveries, half_dead, days, random), Labels(half_dead, faults, history.senders), days)

    def judge(self, judge: str, played: Played) -> Judged:
        """What the rules say, who know the silences that were `played`; or a judge that never or always calls."""
        if judge == "never":
            return Judged()
        return self._always() if judge == "always" else judge_mornings(self.events, _silences(played), self.register, self.days)

    def _always(self) -> Judged:
        """A judge that finds everything wrong with everybody, every morning."""
        judged = Judged()
        for day in range(1, self.days.count):
            morning = self.days.start + 24.0 * day + SUMMARY_HOUR
            now = moment_of(morning)
            nothing = Text("", "")
            one = Finding("", None, None, now, Severity.TICKET, local_date(now), now, nothing, nothing)
            all_found = [replace(one, rule=kind, unit_id=unit) for kind in HALF_DEAD_KINDS for unit in self.register.units]
            judged.opened += [(morning, finding) for finding in all_found]
            judged.told += judged.opened[-len(all_found) :]
            judged.calls += [Called(morning, unit, HALF_DEAD_KINDS[0]) for unit in list(self.register.units)[:FIRST_CALLS]]
        return judged


def _silences(played: Played) -> list[Silent]:
    """The silences that were called, until they were over."""
    ends = {(one.row, round(one.last_upload, 3)): one.end for one in played.ended}
    return [
        Silent(alarm.row, alarm.called, ends.get((alarm.row, round(alarm.last_upload, 3)), float("inf")))
        for alarm in played.alarms
    ]
