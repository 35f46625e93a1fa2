"""What is said of a feed, in both languages, is a reviewed golden file.

After a wanted change of the words: `python -m tests.unit.monitor.judgement.test_explain` writes the file anew; read the
difference before it is committed.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import numpy as np
import pytest

from monitor.counting.feeds import Feed
from monitor.judgement.conditions import CityState
from monitor.judgement.explain import Tongue, explain
from monitor.judgement.hour_weights import WORKDAY
from monitor.judgement.learned_rhythm import learn
from monitor.judgement.unit_status import FeedCondition, FeedStatus
from schemas.clock import start_of_day
from schemas.register import load_register
from tests.factories import HOSPITAL, UNIT
from tests.unit.monitor.judgement.goldens import differences, write
from tests.unit.monitor.judgement.histories import CALENDAR, HABITS, TODAY, history, scheduled

GOLDEN: Final = "explained.txt"
REGISTER: Final = load_register()
MORNING: Final = start_of_day(TODAY) + timedelta(hours=7)
SEEN: Final = FeedStatus(
    Feed.SCHEDULED, FeedCondition.ON_TIME, MORNING - timedelta(minutes=40), MORNING + timedelta(hours=3, minutes=5)
)
OVERDUE: Final = replace(SEEN, deadline=MORNING - timedelta(minutes=25), since=MORNING - timedelta(minutes=25))
UNSEEN: Final = replace(SEEN, last_event_at=None)
REALTIME: Final = replace(SEEN, feed=Feed.REALTIME)
CASES: Final = [
    ("a batch every night", SEEN),
    ("a batch between six and nine", replace(OVERDUE, condition=FeedCondition.SILENT)),
    ("a batch every night, two in a row missed", replace(OVERDUE, condition=FeedCondition.LATE)),
    ("in office hours, Saturdays a little", REALTIME),
    ("every three hours", replace(REALTIME, deadline=None, condition=FeedCondition.IN_OUTAGE)),
    ("by day, at night by chance", REALTIME),
    ("once a week, by chance", REALTIME),
    ("known for 14 days but an hour", REALTIME),
    ("never a batch", replace(UNSEEN, condition=FeedCondition.AWAITED)),
    ("never a batch", replace(UNSEEN, condition=FeedCondition.NEVER_SEEN, since=SEEN.deadline)),
    ("never a batch", replace(UNSEEN, condition=FeedCondition.INACTIVE, deadline=None)),
    ("never a batch", replace(UNSEEN, condition=FeedCondition.NOT_EXPECTED, deadline=None)),
]


def city() -> CityState:
    found = CityState(history(), scheduled(), [], CALENDAR)
    found.rhythms = learn(history(), CALENDAR, TODAY, scheduled(), np.where(scheduled(), 60.0, 48.0))
    return found


def what_is_said() -> str:
    known, rows = city(), list(HABITS)
    said = []
    for habit, status in CASES:
        said.append(f"# {habit}: {status.condition}")
        unit = REGISTER.units[UNIT if status.feed is Feed.SCHEDULED else HOSPITAL]
        for tongue in Tongue:
            said += [*explain(unit, status, known, rows.index(habit), tongue), ""]
    return "\n".join(said)


def test_what_is_said_is_what_was_reviewed() -> None:
    assert not differences(what_is_said(), GOLDEN)


def test_before_the_first_event_nothing_is_said_of_a_rhythm() -> None:
    said = ["Gulou District, scheduled feed: is on time.", "Last upload: 2024-09-30 06:20.",
            "Without an upload it becomes silent at 2024-09-30 10:05."]  # fmt: skip
    nothing_learned = CityState(history(), scheduled(), [], CALENDAR)
    for known in (None, nothing_learned):
        assert explain(REGISTER.units[UNIT], SEEN, known, 0, Tongue.EN) == said


@pytest.mark.parametrize(
    ("share", "said"), [(0.4, "it usually uploaded on workdays at 9–10 h."), (0.39, "at no particular hours.")]
)
def test_an_hour_is_usual_that_brought_an_upload_on_two_of_five_days(share: float, said: str) -> None:
    known = city()
    assert known.rhythms is not None
    occupied = np.zeros_like(known.rhythms.occupied)
    occupied[:, WORKDAY, 9] = share
    known.rhythms = replace(known.rhythms, occupied=occupied)
    assert explain(REGISTER.units[UNIT], SEEN, known, 0, Tongue.EN)[3].endswith(said)


if __name__ == "__main__":
    write(what_is_said(), GOLDEN)
