"""Which label explains a call: whom the harness of `make judge` believes."""

import numpy as np
import pytest

from monitor.counting.feeds import Feed
from tests.judge.city import Sender
from tests.judge.faults import SILENCE, STALL, Fault
from tests.judge.run import Alarm
from tests.judge.score import explaining

UPLOADS = np.array([10.0, 200.0, 300.0])


@pytest.mark.parametrize(
    ("called", "faults", "explained_by"),
    [
        (110.0, [("platform outage", 50.0, 60.0), (SILENCE, 90.0, 190.0)], SILENCE),  # it rested during the outage
        (80.0, [("platform outage", 50.0, 60.0), (SILENCE, 90.0, 190.0)], "platform outage"),
        (80.0, [(SILENCE, 90.0, 190.0)], SILENCE),  # somewhat early is no false alarm
        (110.0, [(STALL, 90.0, 100.0)], None),
        (110.0, [(SILENCE, 210.0, 220.0)], None),
        (110.0, [], None),
    ],
)
def test_a_call_is_explained_by_the_last_fault_that_had_begun(
    called: float, faults: list[tuple[str, float, float]], explained_by: str | None
) -> None:
    labels = [Fault(kind, [0], start, end) for kind, start, end in faults]
    sender = Sender(Feed.REALTIME, "round the clock", UPLOADS, UPLOADS)
    found = explaining(Alarm(0, 10.0, called), [sender], {0: labels})
    assert (found.kind if found else None) == explained_by
