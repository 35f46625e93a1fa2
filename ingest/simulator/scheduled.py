"""The scheduled feed of one unit: which tables, how many documents per table and business date, sent when. Core, seeded.

Invariant: documents and measures of the batches add up to the unit's figures; every upload day has a batch that is sent
on the next day, and none is sent later than the morning after the month.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from itertools import chain
from random import Random
from typing import Final

from ingest.simulator.apportion import apportion, fill_matrix
from ingest.simulator.figures import Catalogue, Figures, Measures
from ingest.simulator.rhythm import MINUTE, Hours, at, choose_days, day_weights, table_weights, unit_hours
from schemas.events import TableCode

CANONICAL: Final = {
    "outpatient_visits": TableCode("PF-OP-03"),
    "discharges": TableCode("PF-IP-07"),
    "outpatient_revenue_cents": TableCode("PF-OP-06"),
    "inpatient_revenue_cents": TableCode("PF-IP-05"),
}
"""The table that carries a measure: encounters, discharge registrations, outpatient and inpatient settlements."""
_BUSIEST: Final = frozenset(
    map(TableCode, ("PF-LB-02", "PF-OP-07", "PF-IP-06", "PF-IP-02", "PF-OP-05", "PF-OP-04", "C0004", "C0007", "C0020", "C0038"))
)
"""Item tables (results, charges, orders, vital signs): every unit has them, and they hold most of its documents."""
_BACKFILLED: Final = 0.02
"""Share of batches that arrive one to three days late."""
_EARLIER_HOURS: Final = Hours(10 * 60, 18 * 60)
"""Uploads from before the month are sent in the office hours of its eve, so that the platform clock does not jump."""
_LONGEST_BATCH: Final = 5 * MINUTE
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Batch:
    """The documents of one table and business date. Sent from `begins` on, within `lasts` (epoch ms, ms)."""

    table: TableCode
    business_date: date
    records: int
    measures: Measures
    begins: int
    lasts: int


@dataclass(frozen=True, slots=True)
class _Cell:
    table: TableCode
    business_date: date
    records: int
    measures: Measures


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A unit's scheduled feed: its declared tables (None: never declared) and its batches in sending order."""

    declared: tuple[TableCode, ...] | None
    batches: tuple[Batch, ...]
    upload_days: frozenset[date]


def plan_scheduled(figures: Figures, catalogue: Catalogue, random: Random) -> Scheduled:
    """Plan the feed of one unit."""
    order = _preferred_tables(figures, catalogue, random)
    ever = random.randint(25, 60) if figures.tables_ever is None else figures.tables_ever
    in_month = order[: min(ever, figures.records)]
    # tables that a form of 2024 has no room for are not uploaded at all: that form does not print them
    earlier = [] if figures.tables_ever is None else order[len(in_month) : ever]
    cells = _cells(figures, in_month, catalogue.period.days, random) if in_month else _bare_cells(figures, order, catalogue)
    batches = _send(_arrivals(cells, catalogue.period.last + _DAY, random), unit_hours(random), random)
    eve = catalogue.period.first - _DAY
    before = [_Cell(table, eve - _DAY, random.randint(20, 200), Measures()) for table in earlier]
    return Scheduled(
        None if figures.declared is None else tuple(sorted(order[: figures.declared])),
        (*_send({eve: before}, _EARLIER_HOURS, random), *batches),
        frozenset(cell.business_date for cell in cells if cell.records),
    )


def _carried(measures: Measures) -> dict[str, int]:
    """The measures that have to be carried, with their totals."""
    totals = ((field.name, getattr(measures, field.name)) for field in fields(measures))
    return {name: total for name, total in totals if total is not None}


def _preferred_tables(figures: Figures, catalogue: Catalogue, random: Random) -> list[TableCode]:
    """The whole catalogue in the order in which this unit takes tables from it: carriers of measures, busy ones, others."""
    carriers = [CANONICAL[name] for name in _carried(figures.measures) if CANONICAL[name] in catalogue.tables]
    others = [code for code in catalogue.tables if code not in carriers]
    random.shuffle(others)
    others.sort(key=_is_quiet)
    return carriers + others


def _is_quiet(table: TableCode) -> bool:
    return table not in _BUSIEST


def _cells(figures: Figures, tables: Sequence[TableCode], month: Sequence[date], random: Random) -> list[_Cell]:
    """The documents of the month, all > 0, per table and business date, with the measures they carry."""
    count = min(len(month), figures.records) if figures.upload_days is None else figures.upload_days
    days = choose_days(month, count, random)
    per_day = apportion(figures.records, day_weights(days, random), least=1)
    matrix = fill_matrix(_table_totals(figures, tables, random), per_day, random)
    carried = _carried(figures.measures)
    carrier = {
        name: CANONICAL[name] if CANONICAL[name] in tables else tables[place % len(tables)] for place, name in enumerate(carried)
    }
    cells = []
    for table, row in zip(tables, matrix, strict=True):
        filled = [(day, records) for day, records in zip(days, row, strict=True) if records]
        measured = _measured({name: carried[name] for name in carried if carrier[name] == table}, [n for _, n in filled])
        cells += [_Cell(table, day, n, carries) for (day, n), carries in zip(filled, measured, strict=True)]
    return cells


def _bare_cells(figures: Figures, order: Sequence[TableCode], catalogue: Catalogue) -> list[_Cell]:
    """Figures without a single document: uploads of 0 documents that only carry the measures, every day."""
    days = catalogue.period.days
    cells = []
    for place, (name, total) in enumerate(_carried(figures.measures).items()):
        table = order[place % len(order)]
        measured = _measured({name: total}, [0] * len(days))
        cells += [_Cell(table, day, 0, carries) for day, carries in zip(days, measured, strict=True)]
    return cells


def _table_totals(figures: Figures, tables: Sequence[TableCode], random: Random) -> list[int]:
    """Documents per table, each > 0. Where there is room, a table of encounters or discharges has one document for each."""
    weight_of = dict(zip(sorted(random.sample(tables, len(tables)), key=_is_quiet), table_weights(len(tables)), strict=True))
    weights = [weight_of[table] for table in tables]
    measures = figures.measures
    wanted = {CANONICAL["outpatient_visits"]: measures.outpatient_visits, CANONICAL["discharges"]: measures.discharges}
    fixed = {table: number for table in tables if (number := wanted.get(table))}
    free = [index for index, table in enumerate(tables) if table not in fixed]
    rest = figures.records - sum(fixed.values())
    if not free or rest < max(len(free), figures.records // 2):
        return apportion(figures.records, weights, least=1)
    shares = iter(apportion(rest, [weights[index] for index in free], least=1))
    return [fixed[table] if table in fixed else next(shares) for table in tables]


def _measured(totals: dict[str, int], records: Sequence[int]) -> list[Measures]:
    """Each cell's part of the measures, in proportion to its documents."""
    parts = {name: apportion(total, records) for name, total in totals.items()}
    return [Measures(**{name: part[index] for name, part in parts.items()}) for index in range(len(records))]


def _arrivals(cells: Sequence[_Cell], last: date, random: Random) -> dict[date, list[_Cell]]:
    """Which batches are sent on which day: the next one, except for a few that are backfilled, by `last` at the latest."""
    by_day: dict[date, list[_Cell]] = defaultdict(list)
    for cell in cells:
        by_day[cell.business_date].append(cell)
    arrivals: dict[date, list[_Cell]] = defaultdict(list)
    for day, batch in sorted(by_day.items()):
        punctual = random.randrange(len(batch))
        for number, cell in enumerate(batch):
            late = random.randint(1, 3) if random.random() < _BACKFILLED and number != punctual else 0
            arrivals[min(day + _DAY * (1 + late), last)].append(cell)
    return arrivals


def _send(arrivals: dict[date, list[_Cell]], hours: Hours, random: Random) -> list[Batch]:
    """Send what arrives on a day one batch after the other, so that a unit's uploads never overlap."""
    return list(chain.from_iterable(_send_run(day, cells, hours, random) for day, cells in sorted(arrivals.items())))


def _send_run(day: date, cells: Sequence[_Cell], hours: Hours, random: Random) -> list[Batch]:
    opens, slot = at(day, hours.opens), (hours.closes - hours.opens) * MINUTE // max(len(cells), 1)
    sent = []
    for number, cell in enumerate(random.sample(cells, len(cells))):
        begins = opens + slot * number + random.randrange(slot // 4)
        lasts = min(slot * 7 // 10, _LONGEST_BATCH)
        sent.append(Batch(cell.table, cell.business_date, cell.records, cell.measures, begins, lasts))
    return sent
