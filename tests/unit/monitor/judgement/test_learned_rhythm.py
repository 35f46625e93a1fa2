"""What is learned of telling units is a reviewed golden file: the pace, the days that are owed, and when each would be silent.

After a wanted change of the learner: `python -m tests.unit.monitor.judgement.test_learned_rhythm` writes the file anew; read
the difference before it is committed. Hours are local; sums of weights are the surprise at a silence of so long.
"""

from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from monitor.judgement.activity import HOURS_EAST, ActiveHour, ActivityHistory, Floats
from monitor.judgement.city import moment_at
from monitor.judgement.expectation import deadlines
from monitor.judgement.learned_rhythm import HORIZON_BACK, LearnedRhythms, learn
from schemas.clock import local_text, to_days
from tests.unit.monitor.judgement.goldens import differences, write
from tests.unit.monitor.judgement.histories import CALENDAR, HABITS, TODAY, history, scheduled

GOLDEN: Final = "rhythms.json"
_START: Final = TODAY - timedelta(days=HORIZON_BACK)
_UPLOADS: Final = {"Friday 27 September 17:30": (-3, 17.5), "Sunday 29 September 02:30": (-1, 2.5), "today 06:20": (0, 6.34)}


def learned() -> LearnedRhythms:
    default_hours = np.where(scheduled(), 60.0, 48.0)
    return learn(history(), CALENDAR, TODAY, scheduled(), default_hours)


def _number(value: float) -> str:
    return f"{value:.4f}" if np.isfinite(value) else "never"


def _moment(hours: float) -> str:
    return local_text(moment_at(float(hours))) if np.isfinite(hours) else "never"


def _of_days(cumulative: Floats) -> str:
    """The weight of each day of the horizon."""
    return " ".join(f"{weight:.2f}" for weight in np.diff(cumulative[::24]))


def _said(rhythms: LearnedRhythms, row: int) -> dict[str, Any]:
    limits = (rhythms.limit, rhythms.late_limit, rhythms.longest_quiet)
    said: dict[str, Any] = {
        "learned": bool(rhythms.learned[row]),
        "surprise that is silent, late; longest pause": ", ".join(_number(of_all[row]) for of_all in limits),
        "regular": bool(rhythms.regular[row]),
    }
    if rhythms.regular[row]:
        day = (rhythms.anchor, rhythms.due, rhythms.late_due, rhythms.owed)
        said["own day from, due after, late after, days in a row"] = ", ".join(f"{of_all[row]:.4g}" for of_all in day)
    if rhythms.by_days_only[row]:
        said["judged by"] = "its days and its pace only"
    return {
        **said,
        f"sure days from {_START} on": "".join("x" if sure else "." for sure in rhythms.sure[row]),
        "weights of those days": _of_days(rhythms.cumulative[row]),
        "not blurred": _of_days(rhythms.by_hour[row]),
        "percent of Monday's hours with an upload": " ".join(f"{share * 100:.1f}" for share in rhythms.occupied[row, 0]),
    }


def _silent_after(rhythms: LearnedRhythms, ago: int, hour: float) -> list[str]:
    """Row by row, when it would be silent and late after an upload so many days ago."""
    since = np.full(len(HABITS), (to_days(TODAY) + ago) * 24.0 + hour)
    both = zip(deadlines(rhythms, since), deadlines(rhythms, since, late=True), strict=True)
    return [f"{_moment(silent)}, late at {_moment(late)}" for silent, late in both]


def what_is_learned() -> dict[str, dict[str, Any]]:
    rhythms = learned()
    after = {f"silent after {upload}": _silent_after(rhythms, *place) for upload, place in _UPLOADS.items()}
    return {
        name: {**_said(rhythms, row), **{upload: moments[row] for upload, moments in after.items()}}
        for row, name in enumerate(HABITS)
    }


def test_what_is_learned_is_what_was_reviewed() -> None:
    assert not differences(what_is_learned(), GOLDEN)


def test_only_rows_of_which_a_day_says_too_little_hour_by_hour_owe_days() -> None:
    regular = dict(zip(HABITS, learned().regular.tolist(), strict=True))
    assert not regular["in office hours of workdays"]
    assert not regular["ten hours a day, on Saturdays eight"]
    assert regular["once a day at one, realtime"]
    assert regular["at eight, every fourth day at ten, realtime"]
    assert regular["a batch every night"]


def test_a_feast_of_eighteen_weeks_ago_says_nothing_of_how_often_a_row_sends() -> None:
    labour_day, today = date(2024, 5, 1), date(2024, 9, 4)
    one = ActivityHistory(1)
    one.roll_to(labour_day, None)
    one.add(ActiveHour(0, to_days(labour_day) * 24 + hour - HOURS_EAST, 0, 59, 1) for hour in range(24))
    twice_a_day = (day * 24 + hour for day in range(to_days(labour_day) + 1, to_days(today)) for hour in (0, 12))
    one.add(ActiveHour(0, hour - HOURS_EAST, 0, 59, 1) for hour in twice_a_day)
    one.roll_to(today, CALENDAR)
    assert one.days[0] == to_days(labour_day)
    found = learn(one, CALENDAR, today, np.array([False]), np.array([48.0]))
    hours_known = 125 * 24 - 11
    assert np.allclose(found.limit, 6.5 + 2 * np.log(24 * 250 / hours_known))


if __name__ == "__main__":
    write(what_is_learned(), GOLDEN)
