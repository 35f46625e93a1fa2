"""A million events through what users run. Minutes."""

import pytest

from tests.exact.runs import run_exact
from tests.services.kafka_jars import kafka_jars
from tests.services.postgres import PostgresServer


@pytest.mark.timeout(1500)
def test_every_counter_of_a_million_events_on_kafka_and_postgresql_is_the_generators_own() -> None:
    kafka_jars()  # skips, or fails in CI, where Java or Maven is missing
    with PostgresServer():
        pass
    run_exact(1_000_000, "--seed", "1", seconds=1400)
