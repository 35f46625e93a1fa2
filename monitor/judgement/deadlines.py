"""When a feed becomes overdue. Core.

Deadlines are platform time: they are compared with the platform clock, never with the wall.
"""

from datetime import datetime, timedelta

from monitor.counting.changes import FeedProgress
from monitor.counting.feeds import Feed
from monitor.judgement.calendar import Calendar, DayKind
from monitor.judgement.rhythms import Rhythm, Week
from schemas.clock import local_date, start_of_day


def deadline(feed: Feed, progress: FeedProgress | None, active_since: datetime, rhythm: Rhythm) -> datetime:
    """When the feed becomes overdue. `progress` is None for a unit that has never been seen on it."""
    if progress is None:
        return active_since + timedelta(hours=rhythm.never_seen)
    if feed is Feed.SCHEDULED:
        next_date = progress.last_business_date + timedelta(days=1)
        return start_of_day(next_date + timedelta(days=1)) + timedelta(hours=rhythm.scheduled_due)
    return _after_service_time(progress.last_event_at, rhythm)


def week_deadline(last_event_at: datetime, week: Week, calendar: Calendar) -> datetime:
    """When a feed with this week becomes overdue: so many hours after its last upload, not counting days like no other.

    Public holidays and make-up workdays are such days: a week that was frozen knows nothing of them.
    """
    day = local_date(last_event_at)
    left = timedelta(hours=week[day.weekday()][int((last_event_at - start_of_day(day)).total_seconds()) // 3600])
    moment = last_event_at
    while True:
        midnight = start_of_day(day + timedelta(days=1))
        if calendar.day(day).kind not in (DayKind.HOLIDAY, DayKind.MAKE_UP):
            if moment + left <= midnight:
                return moment + left
            left -= midnight - moment
        moment, day = midnight, day + timedelta(days=1)


def _after_service_time(start: datetime, rhythm: Rhythm) -> datetime:
    """`realtime_quiet` hours after `start`, counted within service hours only."""
    left = timedelta(hours=rhythm.realtime_quiet)
    opens, closes = timedelta(hours=rhythm.service_from), timedelta(hours=rhythm.service_to)
    day = local_date(start)
    while True:
        midnight = start_of_day(day)
        begin = max(start, midnight + opens)
        end = midnight + closes
        if begin + left <= end:
            return begin + left
        left -= max(end - begin, timedelta(0))
        day += timedelta(days=1)
