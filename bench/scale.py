"""What a city, a province and a million institutions would need, worked out from what was measured. Core."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.results import Result, table

TITLE: Final = "Scale on paper"
NOTE: Final = """Nobody has run these: they are the figures above, multiplied. A city sends what September 2024 was, one
event for each document, and the others as many times more as they have people. The busiest hour sends ten
times the mean. A core is planned full to 70 %, and two workers are the least. The ledger holds thirteen
months, at the bytes each of PostgreSQL's last mark. `serve` is one process, and has one core: what it takes
while nobody asks grows with the units."""

_DAYS, _SECONDS, _MONTHS = 30, 86_400, 13
_BUSIEST: Final = 10
_FULL: Final = 0.7
_LEAST_WORKERS: Final = 2
_LEAST_PARTITIONS: Final = 12
_PARTITIONS_OF_A_WORKER: Final = 3
"""So that what one leaves can be shared out among the others."""
_CITY_DOCUMENTS: Final = 284_634_259
"""Of September 2024, all that 51 units of Nanjing sent; docs/capacity.md has it, held by a test."""
_CITY_PEOPLE: Final = 9_550_000


@dataclass(frozen=True)
class Place:
    """Who uploads."""

    name: str
    units: int
    people: int

    @property
    def events_a_month(self) -> float:
        """One for each document."""
        return _CITY_DOCUMENTS * self.people / _CITY_PEOPLE


PLACES: Final = (
    Place("a city", 52, _CITY_PEOPLE),
    Place("a province", 1_000, 85_000_000),
    Place("a million institutions", 1_000_000, 1_410_000_000),
)


@dataclass(frozen=True)
class Costs:
    """What was measured: CPU-seconds per million events, bytes of each, the share of a core that `serve` takes for a unit."""

    per_million: float
    bytes_each: float
    serve_of_a_unit: float


def costs_of(found: Sequence[Result]) -> Costs | None:
    """From the results; None while one of them is missing."""
    rows: Mapping[str, Any] = {result["part"]: result["rows"] for result in reversed(found)}
    if not {"growth", "scrape"} <= rows.keys():
        return None
    grown = [row for row in rows["growth"] if row["database"] == "PostgreSQL"][-1]
    most = rows["scrape"][-1]
    return Costs(grown["cpu_seconds_per_million"], grown["bytes_per_message"], most["idle_share_of_a_core"] / most["units"])


def needs(place: Place, costs: Costs) -> dict[str, float]:
    """Events a second in the busiest hour, cores that count them, workers, partitions, terabytes, cores of `serve`."""
    busiest = place.events_a_month / _DAYS / _SECONDS * _BUSIEST
    cores = busiest * costs.per_million / 1e6
    workers = max(_LEAST_WORKERS, math.ceil(cores / _FULL))
    return {
        "busiest": busiest,
        "cores": cores,
        "workers": workers,
        "partitions": max(_LEAST_PARTITIONS, workers * _PARTITIONS_OF_A_WORKER),
        "terabytes": place.events_a_month * _MONTHS * costs.bytes_each / 1e12,
        "serve": place.units * costs.serve_of_a_unit,
    }


def lines(costs: Costs) -> list[str]:
    """A row for each place."""
    headings = ["", "units", "million events a month", "events/s, busiest", "cores", "workers", "partitions", "ledger, TB"]
    rows = []
    for place in PLACES:
        need = needs(place, costs)
        counts = [f"{need['busiest']:,.0f}", f"{need['cores']:.2f}", f"{need['workers']:.0f}", f"{need['partitions']:.0f}"]
        sizes = [f"{need['terabytes']:,.2f}", f"{need['serve']:.2f}"]
        rows.append([place.name, f"{place.units:,}", f"{place.events_a_month / 1e6:,.0f}", *counts, *sizes])
    return table([*headings, "cores of `serve`"], rows)
