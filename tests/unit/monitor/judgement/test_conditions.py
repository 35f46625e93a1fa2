"""Who is silent, late or in an outage, case by case, by hand-made rhythms: a surprise of 1 an hour, late at 4, silent at 7.

Hours are counted from a midnight. `test_own_rhythms` and `test_outages_played` have whole weeks.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import numpy as np
import pytest

from monitor.counting.feeds import Feed
from monitor.judgement.activity import HOURS_EAST, ActiveHour, ActivityHistory, Bools
from monitor.judgement.calendar import Calendar
from monitor.judgement.conditions import CityState, Silence, Verdicts, evaluate, least_silence
from monitor.judgement.whole_outages import Outage, Scope
from schemas.clock import from_days
from tests.unit.monitor.judgement.paces import FIRST_DAY, MIDNIGHT, rhythms

FEED: Final = Scope("feed", "realtime", Feed.REALTIME)
DISTRICT: Final = Scope("district", "gulou", Feed.REALTIME)
NEVER: Final = np.nan


def rows(count: int, *chosen: int) -> Bools:
    return np.isin(np.arange(count), chosen)


def city(
    last: Sequence[float],
    pace: Sequence[float] | None = None,
    scopes: Sequence[tuple[Scope, Bools]] = (),
    scheduled: Bools | None = None,
    **overrides: Any,
) -> CityState:
    """Rows that were last heard at such hours, and whose rhythms are known today and tomorrow."""
    history = ActivityHistory(len(last))
    history.roll_to(from_days(FIRST_DAY), None)
    history.last_seen[:] = MIDNIGHT + np.array(last)
    history.first_seen[:] = history.last_seen - 2000
    found = CityState(history, np.zeros(len(last), np.bool_) if scheduled is None else scheduled, scopes, Calendar())
    found.rhythms = rhythms([1.0] * len(last) if pace is None else pace, **overrides)
    found.learned_on = from_days(FIRST_DAY)
    return found


def at(of: CityState, hour: float) -> Verdicts:
    """The verdicts at an hour of that day, or of one of the next with the same rhythms."""
    of.learned_on = from_days(FIRST_DAY + int(hour) // 24)
    return evaluate(of, MIDNIGHT + hour)


def true_rows(of: Bools) -> list[int]:
    return [int(row) for row in np.flatnonzero(of)]


@pytest.mark.parametrize(
    ("hour", "late", "silent"),
    [(13.0, False, False), (14.0, False, False), (14.1, True, False), (17.0, True, False), (17.1, False, True)],
)
def test_first_late_then_silent(hour: float, late: bool, silent: bool) -> None:
    verdicts = at(city([10.0]), hour)
    assert (verdicts.late.tolist(), verdicts.silent.tolist(), verdicts.in_outage.tolist()) == ([late], [silent], [False])
    assert verdicts.began == ([0] if silent else [])


def test_a_silence_begins_once_at_its_deadline_and_ends_with_the_next_upload() -> None:
    one = city([10.0])
    assert at(one, 20.0).began == [0]
    assert (one.overdue_since[0], one.quiet_since[0]) == (MIDNIGHT + 17, MIDNIGHT + 10)
    again = at(one, 21.0)
    assert (again.began, again.silent.tolist(), again.late.tolist()) == ([], [True], [False])
    one.history.last_seen[0] = MIDNIGHT + 21.5
    over = at(one, 22.0)
    assert over.ended == [Silence(0, MIDNIGHT + 10, MIDNIGHT + 17, MIDNIGHT + 21.5)] == one.silences
    assert not over.silent.any()
    assert np.isnan([one.overdue_since[0], one.quiet_since[0]]).all()


@pytest.mark.parametrize(
    ("pace", "scheduled", "silent_after", "late_after"),
    [
        (1.0, False, 7.0, 4.0),
        (90.0, False, 2.0, 1.0),  # nobody is called within two hours, nor late within one
        (90.0, True, 12.0, 1.0),  # a batch not within twelve
        (1.0, True, 12.0, 4.0),
        (0.4, True, 17.5, 10.0),
    ],
)
def test_nobody_is_called_at_once(pace: float, scheduled: bool, silent_after: float, late_after: float) -> None:
    one = city([5.0], [pace], scheduled=np.array([scheduled]))
    at(one, 5.5)
    assert (one.silent_at - MIDNIGHT - 5).round(6).tolist() == [silent_after]
    assert (one.late_at - MIDNIGHT - 5).round(6).tolist() == [late_after]
    assert least_silence(one).tolist() == [12.0 if scheduled else 2.0]


def test_who_is_called_silent_as_soon_as_late_is_not_late_before() -> None:
    one = city([10.0], late_limit=np.array([9.0]))
    at(one, 11.0)
    assert one.late_at == one.silent_at == MIDNIGHT + 17


def test_who_was_never_seen_or_of_whom_nothing_is_expected_is_not_judged() -> None:
    two = city([NEVER, 10.0])
    two.expected[1] = False
    verdicts = at(two, 40.0)
    assert (true_rows(verdicts.silent), true_rows(verdicts.late)) == ([], [1])


def test_rhythms_are_learned_anew_each_day_and_only_then() -> None:
    two = city([10.0, 10.0], scheduled=rows(2, 1))
    two.history.first_seen[:] = MIDNIGHT
    known = two.rhythms
    evaluate(two, MIDNIGHT + 23.9)
    assert two.rhythms is known
    evaluate(two, MIDNIGHT + 24.0)
    assert two.learned_on == from_days(FIRST_DAY) + timedelta(days=1)
    assert two.rhythms is not known
    assert two.rhythms is not None
    assert two.rhythms.limit.tolist() == [48.0, 60.0], "hours, as long as nothing is learned"
    assert two.rhythms.first_day == FIRST_DAY + 1 - 21
    assert two.history.days.tolist() == [FIRST_DAY, FIRST_DAY + 1]


def test_a_day_that_is_too_old_is_forgotten_as_a_day_begins() -> None:
    one = CityState(ActivityHistory(1), np.zeros(1, np.bool_), [], Calendar())
    one.history.roll_to(from_days(FIRST_DAY - 140), None)
    evaluate(one, MIDNIGHT + 72)
    assert one.history.days[0] == FIRST_DAY + 3 - 125


def test_an_upload_soon_after_the_one_that_was_thought_the_last_ends_a_silence_too() -> None:
    one = city([10.0])
    at(one, 18.0)
    one.history.last_seen[0] = MIDNIGHT + 10.5
    assert [silence.end for silence in at(one, 18.5).ended] == [MIDNIGHT + 10.5]


def test_the_limit_of_what_is_learned_can_be_set() -> None:
    one = CityState(ActivityHistory(1), np.zeros(1, np.bool_), [], Calendar())
    one.history.add(ActiveHour(0, hour - HOURS_EAST, 0, 59, 1) for hour in range(int(MIDNIGHT), int(MIDNIGHT) + 24 * 20))
    evaluate(one, MIDNIGHT + 24 * 20, limit=5.0)
    strict = one.rhythms
    one.learned_on = None
    evaluate(one, MIDNIGHT + 24 * 20, limit=6.0)
    assert strict is not None
    assert one.rhythms is not None
    assert (one.rhythms.limit - strict.limit).round(6).tolist() == [1.0]


@pytest.mark.parametrize(("blank", "learned", "excused"), [(24.0, False, True), (23.9, False, False), (24.0, True, False)])
def test_a_day_in_which_nobody_was_heard_is_not_held_against_who_is_not_known_yet(
    blank: float, learned: bool, excused: bool
) -> None:
    both = city([2.0, 2.0, NEVER], learned=np.array([learned, learned, learned]))
    at(both, 3.0)
    both.history.last_seen[1] = MIDNIGHT + 2 + blank
    at(both, 2 + blank)
    assert both.last_any == MIDNIGHT + 2 + blank
    assert both.resume.tolist()[:1] == [MIDNIGHT + 2 + blank] if excused else np.isnan(both.resume).all()
    assert np.isnan(both.resume[2])


def test_whose_silence_is_open_is_not_excused() -> None:
    three = city([2.0, 2.0, 2.0], [1.0, 0.1, 0.1], learned=rows(3))
    at(three, 10.0)
    three.history.last_seen[1] = MIDNIGHT + 30
    at(three, 30.0)
    assert np.isnan(three.resume).tolist() == [True, False, False]


def test_before_anybody_was_heard_nobody_is_excused() -> None:
    nobody = city([NEVER])
    at(nobody, 3.0)
    assert nobody.last_any == -np.inf
    assert np.isnan(nobody.resume).all()


def with_hours(days: int) -> CityState:
    one = city([10.0])
    one.history.roll_to(from_days(FIRST_DAY + days), None)
    return one


def fall_silent(one: CityState, day: int) -> None:
    """From ten in the morning to eight in the evening."""
    one.history.last_seen[0] = MIDNIGHT + day * 24 + 10
    at(one, day * 24 + 18.0)
    one.history.last_seen[0] = MIDNIGHT + day * 24 + 20.25
    at(one, day * 24 + 21.0)


def test_a_silence_teaches_nothing() -> None:
    one = with_hours(2)
    fall_silent(one, 1)
    assert true_rows(one.history.excluded[0, 1]) == list(range(10, 20))
    assert not one.history.excluded[0, 0].any()


def test_three_silences_in_three_weeks_teach_nothing_and_the_fourth_says_that_the_rhythm_has_changed() -> None:
    one = with_hours(4)
    for day in (0, 1, 2):
        fall_silent(one, day)
    assert one.history.excluded[0].sum() == 30
    fall_silent(one, 3)
    assert one.history.excluded[0].sum() == 0


@pytest.mark.parametrize(("ended", "learned"), [(20.2, False), (20.25, False), (20.3, True)])
def test_only_silences_of_the_last_three_weeks_count(ended: float, learned: bool) -> None:
    """Three are known that ended three weeks ago, and one of another row."""
    one = with_hours(1)
    long_ago = [Silence(0, MIDNIGHT - 510, MIDNIGHT - 508, MIDNIGHT + ended - 21 * 24) for _ in range(3)]
    one.silences = [Silence(1, MIDNIGHT, MIDNIGHT + 1, MIDNIGHT + 9), *long_ago]
    fall_silent(one, 0)
    assert one.history.excluded[0].any() != learned


def out(count: int, *members: int, scope: Scope = DISTRICT, **overrides: Any) -> Outage:
    """Since ten, found at twelve."""
    values: dict[str, Any] = {"other_feed": rows(count), "end": None}
    return Outage(0, scope, MIDNIGHT + 10, MIDNIGHT + 12, rows(count, *members), **{**values, **overrides})


def test_who_is_in_an_outage_is_neither_silent_nor_late() -> None:
    five = city([10.0] * 5)
    five.outages = [out(5, 0, 1, 2), out(5, 4, end=MIDNIGHT + 13)]
    verdicts = at(five, 20.0)
    assert true_rows(verdicts.in_outage) == [0, 1, 2]
    assert true_rows(verdicts.silent) == [3, 4]
    assert true_rows(verdicts.late) == []
    assert verdicts.began == [3, 4]


def test_who_was_silent_before_the_outage_stays_silent() -> None:
    three = city([10.0] * 3)
    at(three, 18.0)
    three.history.last_seen[1:] = MIDNIGHT + 18
    three.outages = [out(3, 0, 1, 2)]
    three.outages[0].found = MIDNIGHT + 19
    verdicts = at(three, 19.5)
    assert (true_rows(verdicts.silent), true_rows(verdicts.in_outage)) == ([0], [1, 2])


def test_when_an_outage_is_over_everybody_has_two_hours_and_it_teaches_nothing() -> None:
    five = city([10.0] * 5)
    five.outages = [out(5, end=MIDNIGHT + 11), out(5, 4), out(5, 0, 1, 2, 3)]
    five.overdue_since[3] = MIDNIGHT + 9
    five.quiet_since[3] = MIDNIGHT + 10
    five.resume[2] = MIDNIGHT + 30
    five.history.last_seen[:2] = MIDNIGHT + 14.5
    at(five, 15.0)
    assert [one.end for one in five.outages] == [MIDNIGHT + 11, None, MIDNIGHT + 14.5]
    assert (five.resume[:3] - MIDNIGHT).tolist() == [16.5, 16.5, 30.0]
    assert [true_rows(hours) for hours in five.history.excluded[:, 0]] == [[10, 11, 12, 13, 14]] * 4 + [[]]
    assert np.isnan(five.resume[3:]).all(), "nor who was silent before, nor who is none of it"


def test_the_time_to_recover_counts_from_the_end_of_an_outage_and_no_later_than_now() -> None:
    four = city([10.0] * 4)
    four.outages = [out(4, 0, 1, 2)]
    four.history.last_seen[1:3] = MIDNIGHT + 14.5
    at(four, 15.0)
    assert (four.resume[:3] - MIDNIGHT).tolist() == [16.5, 16.5, 16.5]
    early = city([10.0] * 4)
    early.outages = [out(4, 0, 1, 2)]
    early.history.last_seen[1:3] = MIDNIGHT + 14.5
    at(early, 14.0)
    assert (early.resume[:3] - MIDNIGHT).tolist() == [16.0, 16.0, 16.0]


def test_while_a_feed_is_out_and_the_other_lives_the_silences_there_are_its_units_own() -> None:
    for scope, others in ((FEED, []), (DISTRICT, [2, 3])):
        four = city([10.0, 10.0, 12.5, 10.0])
        four.outages = [out(4, 0, 1, scope=scope, other_feed=rows(4, 2, 3))]
        at(four, 13.0)
        assert true_rows(four.outages[0].other_feed) == others


def test_an_outage_of_a_group_becomes_part_of_that_of_its_feed() -> None:
    five = city([10.0] * 5, [900.0] * 5, [(FEED, rows(5, 0, 1, 2, 3, 4))])
    five.outages = [out(5, 0, 1), out(5, 3, end=MIDNIGHT + 9)]
    verdicts = at(five, 12.0)
    assert [one.scope for one in verdicts.outages_found] == [FEED]
    ends = [(DISTRICT, MIDNIGHT + 12), (DISTRICT, MIDNIGHT + 9), (FEED, None)]
    assert [(one.scope, one.end) for one in five.outages] == ends
    assert true_rows(verdicts.in_outage) == [0, 1, 2, 3, 4]


GROUP: Final = [(DISTRICT, rows(6, 0, 1, 2))]


@pytest.mark.parametrize(
    ("last", "pace", "hour", "held"),
    [
        ([10, 10, 10, 17, 17, 17], [1.0, 0.4, 0.4], 17.5, True),  # the two others are quiet, with a surprise of 2.5 each
        ([10, 10, 10, 17, 17, 17], [1.0, 0.1, 0.1], 17.5, False),  # as they often are
        ([10, 14, 14, 17, 17, 17], [1.0, 0.65, 0.65], 17.5, True),  # heard as this one began to be late
        ([10, 14, 14, 17, 17, 17], [1.0, 0.25, 0.25], 17.5, False),  # in three hours that would be no outage yet
        ([10, 14, 14.1, 17, 17, 17], [1.0, 0.9, 0.9], 17.5, False),
        ([10, 10, 10, 17, 17, 17], [1.0, 0.3, 0.3], 20.0, True),  # for three hours
        ([10, 10, 10, 17, 17, 17], [1.0, 0.3, 0.3], 20.1, False),
    ],
)
def test_a_silence_waits_while_it_may_be_that_of_its_group(
    last: Sequence[float], pace: Sequence[float], hour: float, held: bool
) -> None:
    six = city(last, [*pace, 0.01, 0.01, 0.01], GROUP)
    assert at(six, hour).began == ([] if held else [0])


def test_who_is_silent_is_not_waited_for() -> None:
    pace = [1.0, 0.4, 0.4, 0.01, 0.01, 0.01]
    six = city([10, 10, 10, 17, 17, 17], pace, GROUP)
    six.overdue_since[1], six.quiet_since[1] = MIDNIGHT + 9, MIDNIGHT + 10
    assert at(six, 17.5).began == [0]


@pytest.mark.parametrize("scope", [FEED, DISTRICT])
def test_one_of_the_others_that_is_heard_ends_the_waiting(scope: Scope) -> None:
    pace = [1.0, 0.26, 0.26, 0.26, 0.01, 0.01]
    scopes = [(scope, rows(6, 0, 1, 2, 3))]
    assert at(city([10, 10, 10, 10, 17, 17], pace, scopes), 17.5).began == []
    assert at(city([10, 10, 10, 16, 17, 17], pace, scopes), 17.5).began == [0]


def test_a_silence_on_one_feed_waits_for_an_outage_that_shows_on_the_other() -> None:
    """Three batches that do not come, and a realtime feed of the same district that is silent."""
    scopes = [(DISTRICT._replace(feed=Feed.SCHEDULED), rows(7, 0, 1, 2)), (DISTRICT, rows(7, 3, 4))]
    for last, held in (([9, 9, 9, 10, 9, 17, 17], True), ([9, 9, 9, 10, 17, 17, 17], False), ([17, 9, 9, 10, 9, 17, 17], False)):
        seven = city(last, [0.4, 0.4, 0.4, 1.0, 0.01, 0.01, 0.01], scopes)
        seven.scheduled[[0, 1, 2, 5, 6]] = True
        assert at(seven, 17.5).began == ([] if held else [3])


def test_each_of_its_groups_may_be_the_one_that_is_out() -> None:
    pace = [1.0, 0.4, 0.4, 0.01, 0.01, 0.01]
    other = Scope("vendor", "alpha", Feed.REALTIME)
    six = city([10, 10, 10, 17, 17, 17], pace, [(other, rows(6, 3, 4, 5)), (other, rows(6, 0, 1)), *GROUP])
    assert at(six, 17.5).began == []
