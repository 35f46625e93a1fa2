"""Long outages of a whole feed, some units of which were silent before and are back before all others: each is one incident."""

from datetime import date

import numpy as np

from monitor.judgement.hour_weights import LEAST_LIMIT
from tests.judge.city import Days, make_city
from tests.judge.faults import SILENCE, Fault, apply_faults, senders_of
from tests.judge.history import History
from tests.judge.run import hear, play

UNITS = 30
SCHEDULED, REALTIME = 0, 1
LENGTHS = [(24.0, REALTIME), (72.0, SCHEDULED), (72.0, REALTIME), (200.0, SCHEDULED), (200.0, REALTIME)]
"""Hours, and the feed that is out."""


def test_an_outage_of_a_feed_is_one_incident_however_long_it_is() -> None:
    random = np.random.default_rng(2)
    days = Days(date(2024, 2, 20), 105)
    city = make_city(UNITS, days, random)
    faults: list[Fault] = []
    outages: list[Fault] = []
    start = days.start + 40 * 24
    for hours, feed in LENGTHS:
        start += random.uniform(0, 24)
        rows = np.arange(feed, 2 * UNITS, 2)
        before = random.choice(rows, 3, replace=False)
        faults += [Fault(SILENCE, [int(row)], start - 30, start + random.uniform(0.3, 1) * hours) for row in before]
        outages.append(Fault("feed outage", sorted(set(rows.tolist()) - set(before.tolist())), start, start + hours))
        start += hours + 7 * 24
    senders = senders_of(city)
    apply_faults(senders, [*faults, *outages], random)
    history = History(2, city, senders, sorted([*faults, *outages], key=lambda fault: fault.start), [], days)
    played = play(history, hear(history), LEAST_LIMIT)
    for outage in outages:
        found = [one for one in played.outages if one.start < outage.end + 24 and (one.end or np.inf) > outage.start]
        assert len({one.number for one in found}) == 1
