"""bytewax: bytewax_flow.py BOOTSTRAP TOPIC DATABASE MESSAGES. State in its recovery store; sums out by a sink.

As documented: the Kafka connector, a stateful map by key, snapshots into a recovery store every ten seconds.
"""

import sys
from pathlib import Path

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main
from sums import SumsTable, added, decoded, place

bootstrap, topic, database = sys.argv[1], sys.argv[2], sys.argv[3]
table = SumsTable(database)


class NewestSums(StatelessSinkPartition):
    def write_batch(self, items):
        table.write({(unit, where): total for unit, (where, total) in items})


class Sums(DynamicSink):
    def build(self, step_id, worker_index, worker_count):
        return NewestSums()


def keyed(message):
    event = decoded(message.value)
    return event["unit_id"], event


def count(state, event):
    numbers, sums = state or ({}, {})
    where, series = place(event), event["series"]
    if event["sequence"] > numbers.get(series, 0):
        numbers[series] = event["sequence"]
        sums[where] = added(sums.get(where), event)
    return (numbers, sums), (where, sums[where])


flow = Dataflow("bench")
uploads = op.input("uploads", flow, KafkaSource([bootstrap], [topic], tail=False))
sums = op.stateful_map("count", op.map("key", uploads, keyed), count)
op.output("sums", sums, Sums())
recovery = Path(database).parent / "recovery"
recovery.mkdir()
init_db_dir(recovery, 1)
cli_main(flow, recovery_config=RecoveryConfig(recovery))
table.close()
