"""The acts of a delivery run: what befalls the units and us, and what has to be told of it."""

import time
from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Final

from monitor.ledger.flips import read_outages
from monitor.ledger.incidents import list_incidents
from monitor.ledger.tables import FeedOutage
from tests.delivery.city import HOSPITALS, districts
from tests.delivery.schedule import Kind, Turn
from tests.delivery.stage import LAPSE_DAY
from tests.delivery.watch import SETTLES, Watch
from tests.services.process import ServiceProcess
from tests.services.told import RECOVERY, told_twice

PAGE_SECONDS: Final = 30.0
"""A page is on its way so soon after its deadline."""
OWN_DEATH_SECONDS: Final = 180.0
NO_PAGING_SECONDS: Final = 720.0
STORM_UNITS: Final = 72
_LEARNED: Final = 1200.0
"""Seconds in which half a month is counted at full speed, on a busy machine too."""
_APART: Final = 125.0
"""Two messages of one kind come at least 120 s apart, as shipped: whoever measures the second waits so long first."""


class Play(Watch):
    """Acts one after the other."""

    def begin(self) -> None:
        """Let the units send, and wait until the time-lapse has begun and we watch it."""
        self.units.start()
        self.until(
            lambda: self.stage.clock.now is not None and self.local().day >= LAPSE_DAY, "the learned days are counted", _LEARNED
        )

    def qinhuai(self) -> None:
        """One district falls silent, and is back."""
        self.by_day()
        self.units.silence(["qinhuai"])
        incident = self.incidents({"qinhuai"}, is_open=True)[0]
        self.told("秦淮区 silent", "【告警】秦淮区 实时上传中断", self.passed(incident.began_at), PAGE_SECONDS)
        self.units.resume(["qinhuai"])
        incident = self.incidents({"qinhuai"}, is_open=False)[0]
        self.told("秦淮区 back", "【恢复】秦淮区 实时上传已恢复", self.passed(incident.ended_at), PAGE_SECONDS)

    def own_death(self) -> None:
        """All workers are killed, and start again."""
        for worker in self.stage.workers:
            worker.kill()
        killed = time.monotonic()
        self.told("all workers dead", "【告警】没有消费进程（worker）在运行", killed, OWN_DEATH_SECONDS)
        for worker in self.stage.workers:
            self.stage.start(worker)

    def workers_are_back(self) -> None:
        """Their return is told when a Watchdog has proved it."""
        self.told("workers back", "【恢复】消费进程（worker）已恢复", None, None)

    def whole_feed(self) -> None:
        """The realtime feed of all units is out, and is back."""
        self.by_day()
        everybody = [*districts(), *HOSPITALS]
        self.units.silence(everybody)
        self.until(lambda: bool(self._outages()), "the outage is found")
        self.told("realtime feed out", "【告警】多家单位同时中断", self.passed(self._outages()[0].found_at), PAGE_SECONDS)
        self.units.resume(everybody)

    def whole_feed_is_back(self) -> None:
        """Its end is told when a Watchdog has proved it."""
        self.told("realtime feed back", "【恢复】同时中断的单位已恢复", None, None)

    def storm(self, dice: Random) -> None:
        """72 units fall silent within minutes, and are back."""
        self.wait(_APART - self.since("【告警】秦淮区 实时上传中断"))
        self.by_day()
        units = dice.sample(sorted(HOSPITALS), STORM_UNITS)
        for unit in units:
            self.units.silence([unit])
            self.wait(0.2)
        opened = self.incidents(set(units), is_open=True)
        begun = max(self.passed(incident.began_at) for incident in opened)
        self.told(f"{STORM_UNITS} units silent", f"【告警】{STORM_UNITS} 家单位 实时上传中断", begun, PAGE_SECONDS)
        self.wait(_APART - self.since("【恢复】秦淮区 实时上传已恢复"))
        self.units.resume(units)
        closed = self.incidents(set(units), is_open=False)
        over = max(self.passed(incident.ended_at) for incident in closed)
        self.told(f"{STORM_UNITS} units back", f"【恢复】{STORM_UNITS} 家单位 实时上传已恢复", over, PAGE_SECONDS)

    def under_restarts(self, turns: Sequence[Turn]) -> None:
        """Units come and go while what tells of them is killed and restarted: in the end everybody knows how all stand."""
        begun = {channel.name: len(channel.read()) for channel in self.stage.channels()}
        silent: set[str] = set()
        for number, turn in enumerate(turns, 1):
            silent ^= {turn.unit}
            (self.units.silence if turn.unit in silent else self.units.resume)([turn.unit])
            what = "silent" if turn.unit in silent else "back"
            self.say(f"{number:3d}  {HOSPITALS[turn.unit]} {what}; after {turn.calm} s {turn.kind} for {turn.away} s")
            self.wait(turn.calm)
            self._befall(turn)
        self.stage.start_all()
        names = {turn.unit: HOSPITALS[turn.unit] for turn in turns}

        self.all_know(names, silent, begun)
        self.wait(SETTLES)
        self.all_know(names, silent, begun)
        for channel in self.stage.channels():
            told = channel.read()[begun[channel.name] :]
            self.problems += [f"{channel.name}: {names[unit]} twice" for unit in told_twice(told, names)]
            self.say(f"     {channel.name}: {len(told)} messages")

    def dead_prometheus(self, minutes: float) -> None:
        """Prometheus is dead for so long: open incidents stay, a true recovery is told, and so is its death."""
        others = [unit for unit in districts() if unit != "qinhuai"][:3]
        names = {unit: districts()[unit] for unit in ("qinhuai", *others)}
        back, left = others[0], {"qinhuai", *others[1:]}
        self.by_day()
        self.units.silence(names)
        opened = {one.id for one in self.incidents(names, is_open=True)}
        self.all_know(names, set(names), {})
        everybody = [*districts(), *HOSPITALS]
        self.units.silence(everybody)
        self.told("realtime feed out", "【告警】多家单位同时中断", None, None)
        self.stage.prometheus.kill()
        killed = time.monotonic()
        self.say(f"Prometheus is dead for {minutes:g} minutes; {', '.join(names.values())} are silent")
        self.units.resume([back])
        self.told("a recovery meanwhile", f"【恢复】{names[back]} 实时上传已恢复", None, None)
        self.told("Prometheus dead", "【告警】告警链路中断", killed, NO_PAGING_SECONDS, NO_PAGING_SECONDS + 120)
        self.wait(minutes * 60 - (time.monotonic() - killed))
        self.stage.start(self.stage.prometheus)
        self.told("Prometheus back", "【恢复】告警链路已恢复", None, None)
        self.wait(SETTLES)
        silences = [one for one in list_incidents(self.stage.engine) if one.alertname == "UnitFeedSilent"]
        still = {one.unit_id for one in silences if one.closed_at is None and one.change == 1}
        if still != left or {one.id for one in silences} != opened:
            self.problems.append(f"incidents that are open, and never were closed: {sorted(map(str, still))} of {sorted(left)}")
        self.all_know(names, left, {})
        self.not_yet("【恢复】同时中断的单位已恢复")
        self.units.resume(everybody)
        self.all_know(names, set(), {})
        self.told("realtime feed back", "【恢复】同时中断的单位已恢复", None, None)
        self.nothing_else(names)
        for channel in self.stage.channels():
            for unit, name in names.items():
                over = [RECOVERY in told.title for told in channel.read() if name in told.text]
                if over != [False, True]:
                    self.problems.append(f"{channel.name}: {len(over)} messages on {unit}, {sum(over)} of them that it is back")

    def _befall(self, turn: Turn) -> None:
        stage = self.stage
        match turn.kind:
            case Kind.SERVE_KILLED | Kind.WORKER_KILLED | Kind.PROMETHEUS_KILLED | Kind.ALERTMANAGER_KILLED:
                process = self._process(turn)
                process.kill()
                self.wait(turn.away)
                stage.start(process)
            case Kind.SERVE_RESTARTED | Kind.PROMETHEUS_RESTARTED | Kind.ALERTMANAGER_RESTARTED:
                process = self._process(turn)
                process.stop()
                stage.start(process)
            case Kind.ROBOTS_AWAY:
                stage.robots.stop()
                self.wait(turn.away)
                stage.robots.start()
            case Kind.MAIL_REFUSES:
                stage.mailbox.refuse += ["450 try later"] * (1 + turn.which)

    def _process(self, turn: Turn) -> ServiceProcess:
        stage = self.stage
        if turn.kind in (Kind.PROMETHEUS_KILLED, Kind.PROMETHEUS_RESTARTED):
            return stage.prometheus
        if turn.kind in (Kind.ALERTMANAGER_KILLED, Kind.ALERTMANAGER_RESTARTED):
            return stage.alertmanager
        return (stage.workers if turn.kind is Kind.WORKER_KILLED else stage.serves)[turn.which]

    def _outages(self) -> list[FeedOutage]:
        assert self.stage.clock.now is not None
        return read_outages(self.stage.engine, self.stage.clock.now - timedelta(days=1))
