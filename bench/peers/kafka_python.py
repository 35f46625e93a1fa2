"""kafka-python and fastavro: kafka_python.py BOOTSTRAP TOPIC DATABASE MESSAGES."""

import sys

from counting import Counter, schema_beside
from kafka import KafkaConsumer, TopicPartition

bootstrap, topic, database, total = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
consumer = KafkaConsumer(
    bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False, max_poll_records=5_000
)
consumer.assign([TopicPartition(topic, partition) for partition in sorted(consumer.partitions_for_topic(topic))])
counter = Counter(database, schema_beside())
left = total
while left > 0:
    polled = consumer.poll(timeout_ms=250)
    messages = [(found.partition, found.offset, found.value) for part in polled.values() for found in part]
    if messages:
        counter.count(messages)
        left -= len(messages)
counter.close()
consumer.close(autocommit=False)
