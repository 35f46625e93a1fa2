"""A broker that gives clients a name which means nothing here is told as such, with the name."""

from collections.abc import Callable

import pytest

from broker.connection import KafkaConnection
from broker.topic_faults import topic_faults
from broker.topics import ensure_topics
from monitor.worker.broker_topics import describe_topics
from schemas.errors import HipwatchError
from tests.services.kafka import KafkaServer, Security


class Misnamed(KafkaServer):
    """It is reached by its address, and says that it is called otherwise."""

    def _listeners(self, security: Security) -> dict[str, str]:
        found = super()._listeners(security)
        names = found["advertised.listeners"].replace("CLIENTS://127.0.0.1", "CLIENTS://kafka-7.invalid")
        return found | {"advertised.listeners": names}


def test_an_advertised_name_that_does_not_resolve_is_named_by_whoever_needs_the_broker() -> None:
    with Misnamed() as broker:
        connection = KafkaConnection(broker.bootstrap)
        asking: list[Callable[[], object]] = [
            lambda: ensure_topics(connection),
            lambda: describe_topics(connection),
            lambda: topic_faults(connection),
        ]
        for action in asking:
            with pytest.raises(
                HipwatchError, match=rf"{broker.bootstrap} answers, .* as kafka-7\.invalid:\d+, .*does not resolve here"
            ):
                action()
