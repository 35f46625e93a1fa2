"""The numbers of docs/capacity.md are those of the code, and what it names exists."""

import re
from pathlib import Path
from types import SimpleNamespace

import yaml
from kafka import KafkaConsumer

from broker.topics import _RETENTION_MS
from schemas.topics import EVENT_TOPICS, PARTITIONS
from tests.faults.outage import MOST_MEBIBYTES
from tests.ops import capacity
from tests.ops.tools import PROMETHEUS_CONFIG


def test_the_pages_tables_are_what_the_code_prints() -> None:
    found = capacity.measured()
    expected = [*capacity.of_the_month(found), *capacity.of_sizes(found)]
    page = capacity.PAGE.read_text(encoding="utf-8").splitlines()
    shown = [line for line in page if re.search(r"\| [\d,.]+ \|$", line)]
    assert shown == expected, "print them anew: python -m tests.ops.capacity"


def test_the_second_table_is_reckoned_with_what_is_set() -> None:
    jobs = {job["job_name"]: job for job in yaml.safe_load(PROMETHEUS_CONFIG.read_text(encoding="utf-8"))["scrape_configs"]}
    every = int(jobs["hipwatch"]["scrape_interval"].removesuffix("s"))
    assert 86_400 // every == capacity.SCRAPES_A_DAY
    assert capacity.KAFKA_DAYS * 86_400_000 == _RETENTION_MS


def test_of_more_workers_than_a_topic_has_partitions_the_others_find_nothing_to_do() -> None:
    dealer = KafkaConsumer.DEFAULT_CONFIG["partition_assignment_strategy"][0]
    subscribed = SimpleNamespace(topics=list(EVENT_TOPICS))
    workers = [SimpleNamespace(member_id=f"{n:02}", group_instance_id=None, metadata=subscribed) for n in range(PARTITIONS + 1)]
    dealt = dealer.assign(SimpleNamespace(partitions_for_topic=lambda _: set(range(PARTITIONS))), workers)
    assert [sum(len(partitions) for _, partitions in dealt[worker.member_id].assigned_partitions) for worker in workers] == [
        *[len(EVENT_TOPICS)] * PARTITIONS,
        0,
    ]


def test_what_the_page_names_exists() -> None:
    page = capacity.PAGE.read_text(encoding="utf-8")
    root = Path(__file__).parents[2]
    assert all((root / path).exists() for path in re.findall(r"`((?:tests|ops)/\S+\.\w+)`", page))
    assert f"under {MOST_MEBIBYTES} MiB" in page
