"""Every counter, through what users run. `make exact` is the same with a million events; here it would take minutes more."""

import pytest

from tests.exact.runs import run_exact
from tests.services.kafka_jars import kafka_jars
from tests.services.postgres import PostgresServer


@pytest.mark.timeout(900)
def test_every_counter_on_kafka_and_postgresql_is_the_generators_own() -> None:
    kafka_jars()  # skips, or fails in CI, where Java or Maven is missing
    with PostgresServer():
        pass
    run_exact(300_000, "--seed", "1", seconds=840)
