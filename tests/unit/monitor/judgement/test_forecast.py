from monitor.counting.feeds import Feed
from monitor.judgement.forecast import forecast
from schemas.clock import start_of_day
from schemas.period import Period
from tests.unit.monitor.judgement.steady import TODAY, city, feed, unit


def test_running_month_goes_on_as_the_unit_does() -> None:
    of_city = city(unit(), clock=start_of_day(TODAY))
    found = forecast(of_city.units[0], of_city, Period(2024, 9))
    assert (found.upload_days, found.upload_days_by_end) == (28, 30)
    assert (found.realtime_days, found.realtime_days_by_end) == (29, 30)
    assert (found.forms_by_end, found.tables_by_end) == (4, 5)
    assert found.records < found.records_by_end < found.records * 1.1


def test_a_unit_that_sends_nothing_is_expected_to_send_nothing() -> None:
    of_city = city(unit(scheduled=feed({}), realtime=feed({}, Feed.REALTIME)))
    found = forecast(of_city.units[0], of_city, Period(2024, 9))
    assert (found.upload_days_by_end, found.realtime_days_by_end, found.records_by_end) == (0, 0, 0)
