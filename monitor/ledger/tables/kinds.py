"""One table for each kind of event, made from what the kind says of itself."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Date, MetaData, String, Table
from sqlmodel import SQLModel

from monitor.counting.kept import columns_of
from monitor.ledger.tables.moment import Moment
from schemas.kinds.kind import Each, Kind
from schemas.topics import KINDS, Topic


def table_for(kind: Kind, metadata: MetaData) -> Table:
    """The table of `kind`. A sum is NULL when no event carried it."""
    columns = columns_of(kind)
    key = [Column(name, _type_of(kind, name), primary_key=True) for name in columns.key]
    values = [Column(name, _type_of(kind, name), nullable=name in columns.optional) for name in columns.values]
    return Table(kind.table, metadata, *key, *values)


def _type_of(kind: Kind, column: str) -> Any:
    if isinstance(kind.kept, Each) and column == kind.kept.moment:
        return Moment
    field = kind.event.__dataclass_fields__.get(column)
    types: dict[object, Any] = {date: Date, datetime: Moment}
    if field is None or field.type in (int, int | None):
        return BigInteger  # a sum
    return types.get(field.type, String)


TABLE_OF: Final[Mapping[Topic, Table]] = {topic: table_for(kind, SQLModel.metadata) for topic, kind in KINDS.items()}
"""By the topic of the kind."""
