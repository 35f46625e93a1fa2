"""docs/metrics.md, made from the collectors themselves: python -m tests.ops.metrics_page writes it anew."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Final, NamedTuple

from prometheus_client import Metric
from prometheus_client.registry import Collector

from monitor.counting.batch import Appended
from monitor.counting.canaries import CanaryCounts
from monitor.counting.feeds import Feed
from monitor.judgement.judge import Snapshot
from monitor.judgement.rhythms import Rhythms
from monitor.judgement.unit_status import judge
from monitor.ledger.canaries import CanaryArrival
from monitor.ledger.database import closing_engine, open_database
from monitor.ledger.disk_space import DiskSpace
from monitor.ledger.month import read_month
from monitor.ledger.outbox_counts import read_paging_counts
from monitor.ledger.snapshot import read_facts
from monitor.paging.canary_metrics import CanaryCollector, CanaryWatch
from monitor.paging.disk_metrics import DiskCollector
from monitor.paging.finding_metrics import FindingCollector
from monitor.paging.live_targets import TargetsState
from monitor.paging.metrics import SnapshotCollector
from monitor.paging.month_metrics import MonthCollector
from monitor.paging.outbox_metrics import OutboxCollector
from monitor.paging.register_metrics import RegisterCollector
from monitor.paging.targets_metrics import TargetsCollector
from monitor.worker.worker_metrics import WorkerMetrics
from schemas.period import Period
from schemas.register import load_register
from schemas.register.live import RegisterState
from schemas.topics import Topic
from tests.factories import NOON, UNIT, make_batch, make_event, make_letter, make_progress

PAGE: Final = Path(__file__).parents[2] / "docs" / "metrics.md"
_HEAD: Final = """# Metrics

This page is written by `python -m tests.ops.metrics_page` from the collectors themselves; tests hold it against what a
running `serve` and a running worker expose. Timestamps are seconds since 1970, and not ages; *platform time* is the
platform clock's, *wall time* the machine's. A number that is not known has no series: absent is not zero. A histogram is
read as `_bucket`, `_sum` and `_count`.
"""
_SERVE: Final = """
## `hipwatch serve`

On its port at `/metrics`. Of one ledger: several `serve` export the same numbers, so take the `max` of them and never the sum.
"""
_WORKER: Final = """
## `hipwatch worker`

At `/metrics` of `--metrics-port`. Of one process: add them up over the workers. Beside these a worker has the usual
`process_…` metrics of Prometheus' Python client (memory, processor, open files, start).
"""


class Described(NamedTuple):
    """One metric, as a reader has to know it."""

    name: str
    kind: str
    labels: Sequence[str]
    help_text: str


def of_serve() -> list[Described]:
    """Every family that `serve` may expose: those of an empty ledger, and those that need a clock or a Watchdog."""
    register = load_register()
    status = judge(register, NOON, {(UNIT, Feed.REALTIME): make_progress()}, [], Rhythms())
    with TemporaryDirectory() as folder, closing_engine(open_database(f"sqlite:///{folder}/ledger.db", create=True)) as engine:
        facts = replace(read_facts(engine), clock=NOON, watchdog_at=NOON)
        month = read_month(engine, Period(2024, 9))
        counts = read_paging_counts(engine)
    snapshot = Snapshot(facts, status, register)
    collectors: list[Collector] = [
        SnapshotCollector(lambda: snapshot, timedelta(hours=1), timedelta(minutes=2)),
        MonthCollector(lambda: month, lambda: register),
        FindingCollector(SimpleNamespace(open=(), judged_until=NOON)),
        RegisterCollector(lambda: RegisterState(register, "0" * 12, NOON)),
        TargetsCollector(lambda: TargetsState((), NOON)),
        OutboxCollector(lambda: counts),
        DiskCollector(lambda: DiskSpace(0, 0)),
        CanaryCollector(heard(), NOON),
    ]
    return sorted(described(family for collector in collectors for family in collector.collect()))


def heard() -> CanaryWatch:
    """A canary that came after the first reading."""
    watch = CanaryWatch()
    watch.look((), NOON)
    watch.look([CanaryArrival(Topic.CDA_DOCUMENTS, 0, CanaryCounts("run", 1, NOON), NOON)], NOON)
    return watch


def of_worker() -> list[Described]:
    """Every family of a worker's own, after a batch that was counted and one that was not."""
    metrics = WorkerMetrics()
    batch = make_batch(make_event(), dead_letters=[make_letter(offset=1)])
    metrics.appended([batch, batch], [Appended(True, 1, 0, 1), Appended(False)], 0.02)
    metrics.topic_faults.labels("topic", "fault").set(1)
    return sorted(found for found in described(metrics.registry.collect()) if found.name.startswith("hip_"))


def series_names() -> Iterator[str]:
    """Every name that a query may ask for."""
    for metric in (*of_serve(), *of_worker()):
        endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(metric.kind, [""])
        yield from (f"{metric.name}{ending}" for ending in endings)


def described(families: Iterable[Metric]) -> Iterator[Described]:
    """What stands in a family, whether it has a series or not."""
    for family in families:
        if family.name.endswith("_created"):
            continue  # the client's own: when a counter began
        of_samples = {label for sample in family.samples for label in sample.labels} - {"le"}
        labels = sorted(of_samples | set(getattr(family, "_labelnames", ())))
        yield Described(family.name, family.type, labels, family.documentation)


def page() -> str:
    """The whole page."""
    return _HEAD + _SERVE + _table(of_serve()) + _WORKER + _table(of_worker())


def _table(found: Sequence[Described]) -> str:
    lines = ["", "| metric | type | labels | what it says |", "|---|---|---|---|"]
    for metric in found:
        name = f"{metric.name}_total" if metric.kind == "counter" else metric.name
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        lines.append(f"| `{name}` | {metric.kind} | {labels} | {metric.help_text} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"written: {PAGE}")
