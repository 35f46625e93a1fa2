"""What the benchmark makes of its results."""

import json
from dataclasses import replace

import pytest

from bench import counting, growth, latency, scale
from bench.contestants import Cost
from bench.page import FOUND, PAGE, page
from bench.plot import bars, curves
from bench.results import more, percentile, table, times

RUN = Cost(cpu_seconds=3.0, seconds=5.0, peak_mib=100.0, kept_bytes=4_000_000, exact=True)
START = Cost(cpu_seconds=1.0, seconds=2.0, peak_mib=90.0, kept_bytes=1, exact=True)
MACHINE = {"processor": "a processor", "cores": 2, "memory_gib": 4, "system": "Linux 6", "python": "3.11.2"}
GROWN = [
    {
        "database": "PostgreSQL",
        "messages": millions * 1_000_000,
        "cpu_seconds_per_million": cost,
        "bytes_per_message": 30.0,
        "peak_mib": 200.0,
        "seconds": 20.0,
        "exact": True,
    }
    for millions, cost in ((1, 1.0), (3, 1.1), (10, 1.25))
]


def result(part: str, rows: list[dict[str, object]]) -> dict[str, object]:
    sizes = {"events": 1_000_000, "rounds": 3, "seconds": 30.0}
    return {"part": part, "broker": "kafka", "sizes": sizes, "machine": MACHINE, "rows": rows}


def test_the_page_of_the_benchmark_is_what_its_results_say() -> None:
    found = json.loads(FOUND.read_text(encoding="utf-8"))
    assert PAGE.read_text(encoding="utf-8") == page(found), "write it anew: python -m bench page"


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_the_least_value_that_so_many_do_not_exceed(share: float, value: float) -> None:
    assert percentile([float(number) for number in reversed(range(1, 101))], share) == value


def test_the_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 0.95) == 7.0


def test_a_table_is_markdown() -> None:
    assert table(["a", "b"], [[1, "x"]]) == ["| a | b |", "|---|---|", "| 1 | x |"]


def test_a_cost_that_could_not_be_measured_is_compared_with_nothing() -> None:
    assert (times(3.0, 2.0), more(3.0, 2.0)) == ("× 1.5", "+50%")
    assert (times(3.0, 0.0), more(3.0, 0.0)) == ("", "")


def test_what_starting_costs_is_not_the_events() -> None:
    row = counting.row("one", 2_000_000, [RUN, replace(RUN, cpu_seconds=4.0), replace(RUN, cpu_seconds=8.0)], [START])
    assert row["cpu_seconds_per_million"] == 1.5
    assert row["spread"] == [1.0, 3.5]
    assert row["messages_per_second"] == pytest.approx(2_000_000 / 3)
    assert row["bytes_per_message"] == 2.0


def test_one_run_that_is_not_exact_makes_the_row_inexact() -> None:
    rows = [counting.row("one", 1_000_000, [RUN, replace(RUN, exact=False)], [START])]
    assert counting.lines(rows)[-1].endswith("| NO |")


def test_a_latency_lasts_until_the_first_look_that_saw_as_many() -> None:
    seen = [(10.0, 0), (11.0, 2), (12.0, 2), (13.0, 5)]
    assert latency.latencies([10.5, 10.75, 11.5], seen) == [0.5, 0.25, 1.5]


def test_growth_is_told_beside_the_first_stretch_of_its_database() -> None:
    assert [line.split(" | ")[3] for line in growth.lines(GROWN)[2:]] == ["+0%", "+10%", "+25%"]


def test_the_picture_shows_the_dearest_first_and_the_growth_of_each_database() -> None:
    counted = [{"name": "cheap", "cpu_seconds_per_million": 1.0}, {"name": "dear", "cpu_seconds_per_million": 9.0}]
    found = [result("counting", counted), result("growth", GROWN)]
    assert list(bars(found).items()) == [("dear", 9.0), ("cheap", 1.0)]
    assert curves(found) == {"PostgreSQL": ([1.0, 3.0, 10.0], [1.0, 1.1, 1.25])}
    assert (bars([]), curves([])) == ({}, {})


def test_the_page_says_on_what_machine_and_how_much() -> None:
    text = page([result("growth", GROWN)])
    assert "On Apache Kafka, asked for 1,000,000 events, 3 rounds, 30 s of each live phase; a processor, 2 cores, 4 GiB" in text
    assert text.count("## ") == 1


def test_what_is_worked_out_follows_from_what_was_measured() -> None:
    scraped: list[dict[str, object]] = [{"units": 10_000, "idle_share_of_a_core": 0.5}]
    costs = scale.costs_of([result("growth", GROWN), result("scrape", scraped)])
    assert costs == scale.Costs(per_million=1.25, bytes_each=30.0, serve_of_a_unit=0.00005)
    assert scale.costs_of([result("growth", GROWN)]) is None
    city = scale.needs(scale.PLACES[0], costs)
    assert city["workers"] == 2, "one takes over from the other"
    assert city["partitions"] == 12
    assert city["busiest"] == pytest.approx(284_634_259 / (30 * 86_400) * 10)
    assert city["terabytes"] == pytest.approx(284_634_259 * 13 * 30 / 1e12)
    many = scale.needs(replace(scale.PLACES[0], people=9_550_000 * 10_000), costs)
    assert many["cores"] == pytest.approx(city["cores"] * 10_000)
    assert many["workers"] * 0.7 >= many["cores"] > (many["workers"] - 1) * 0.7
    assert many["partitions"] == 3 * many["workers"]
