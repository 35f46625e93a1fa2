"""A ledger that says of some units in which hours each was heard, and how far the platform clock has come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, func, select, update
from sqlmodel import SQLModel

from monitor.counting.feeds import Feed
from monitor.ledger import tables
from monitor.ledger.database import writing
from monitor.ledger.statements import insert, insert_rows, table_of
from schemas.clock import SHANGHAI, local_date
from schemas.events import UnitId

START: Final = datetime(2024, 5, 6, tzinfo=SHANGHAI)
"""A Monday; the next feast is on 8 to 10 June."""


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def hour_of(hours: float) -> int:
    """As an hour since 1970."""
    return int(at(hours).timestamp()) // 3600


@dataclass
class SmallLedger:
    """Hours are counted from `START`."""

    engine: Engine

    def put(self, *rows: SQLModel) -> None:
        """Rows of any table; one that is there already stays as it is."""
        with writing(self.engine) as connection:
            for row in rows:
                insert_rows(connection, insert(connection, table_of(type(row))).on_conflict_do_nothing(), [row.model_dump()])

    def hear(self, unit_id: UnitId, hours: Iterable[int], feed: Feed = Feed.REALTIME) -> None:
        """The unit was heard from the first minute to the last of such hours, in order."""
        heard = list(hours)
        self.put(
            *(
                tables.FeedHour(
                    unit_id=unit_id, feed=feed, hour=hour_of(hour), events=1, records=1, first_minute=0, last_minute=59
                )
                for hour in heard
            ),
            *(tables.ActiveHour(hour=hour_of(hour)) for hour in heard),
            tables.FeedState(
                unit_id=unit_id,
                feed=feed,
                first_event_at=at(heard[0]),
                last_event_at=at(heard[0]),
                last_business_date=local_date(at(heard[0])),
            ),
        )
        state, last = table_of(tables.FeedState), at(heard[-1] + 1)
        with writing(self.engine) as connection:
            connection.execute(
                update(state)
                .where(state.c.unit_id == unit_id, state.c.feed == feed)
                .values(last_event_at=last, last_business_date=local_date(last))
            )

    def advance(self, hours: float) -> None:
        """Everything has been counted up to then."""
        with writing(self.engine) as connection:
            connection.execute(update(table_of(tables.PlatformClock)).values(complete_until=at(hours), advanced_at=at(hours)))

    def count(self, model: type[SQLModel]) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(table_of(model))).scalar_one())

    def judged(self, moment: datetime | None) -> None:
        """The units have been judged up to then."""
        with writing(self.engine) as connection:
            connection.execute(update(table_of(tables.JudgedUntil)).values(clock=moment, judged_at=moment))
