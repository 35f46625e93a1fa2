"""Quix Streams: quix.py BOOTSTRAP TOPIC DATABASE MESSAGES. State in RocksDB with its changelog topic; sums out by a sink.

As documented: at least once, a checkpoint every five seconds, a stateful function for each message, a batching sink.
"""

import sys
import uuid
from pathlib import Path

from quixstreams import Application
from quixstreams.models import Deserializer
from quixstreams.sinks import BatchingSink
from sums import SumsTable, added, decoded, place

bootstrap, topic, database, total = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
table = SumsTable(database)


class Avro(Deserializer):
    def __call__(self, value, ctx):
        return decoded(value)


class NewestSums(BatchingSink):
    def write(self, batch):
        table.write({(item.value[0], item.value[1]): item.value[2] for item in batch})


def count(event, state):
    where, series = place(event), f"number|{event['series']}"
    sums = state.get(where)
    if event["sequence"] > state.get(series, 0):
        state.set(series, event["sequence"])
        sums = added(sums, event)
        state.set(where, sums)
    return event["unit_id"], where, sums


app = Application(
    broker_address=bootstrap,
    consumer_group=f"bench-{uuid.uuid4().hex}",
    auto_offset_reset="earliest",
    state_dir=Path(database).parent / "state",
    loglevel="WARNING",
)
uploads = app.dataframe(app.topic(topic, value_deserializer=Avro()))
uploads = uploads.apply(count, stateful=True)
uploads.sink(NewestSums())
app.run(count=total, collect=False)
table.close()
