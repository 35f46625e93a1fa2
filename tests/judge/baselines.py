"""Two judges that people use today, on the same uploads: a fixed period with a grace of 3 h, and 24 h for everybody. Core."""

import numpy as np

from monitor.counting.feeds import Feed
from tests.judge.city import Sender
from tests.judge.faults import STALL
from tests.judge.history import History
from tests.judge.run import Alarm, Played


def fixed_period(history: History, grace: float = 3.0) -> Played:
    """Each feed's usual period, as somebody would set it by hand, and three hours."""
    return _by_age(history, [_period(sender) + grace for sender in history.senders])


def static_day(history: History) -> Played:
    """Nothing for 24 hours."""
    return _by_age(history, [24.0] * len(history.senders))


def _period(sender: Sender) -> float:
    if sender.feed is Feed.SCHEDULED:
        return 24.0
    gaps = np.diff(sender.arrive)
    return max(1.0, float(np.median(gaps))) if len(gaps) else 24.0


def _by_age(history: History, limits: list[float]) -> Played:
    played = Played()
    end = history.days.start + history.days.count * 24
    for row, (sender, limit) in enumerate(zip(history.senders, limits, strict=True)):
        following = np.append(sender.arrive[1:], end)
        for at in np.flatnonzero(following - sender.arrive > limit):
            called = float(sender.arrive[at]) + limit
            if not any(f.kind == STALL and f.start <= called < f.end for f in history.faults):
                played.alarms.append(Alarm(row, float(sender.arrive[at]), called))
    played.alarms.sort(key=lambda alarm: alarm.called)
    return played
