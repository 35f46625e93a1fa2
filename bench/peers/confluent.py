"""confluent-kafka (librdkafka) and fastavro: confluent.py BOOTSTRAP TOPIC DATABASE MESSAGES."""

import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from counting import Counter, schema_beside

bootstrap, topic, database, total = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench", "enable.auto.commit": False})
partitions = sorted(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
counter = Counter(database, schema_beside())
left = total
while left > 0:
    messages = [
        (found.partition(), found.offset(), found.value())
        for found in consumer.consume(5_000, timeout=0.25)
        if found.error() is None
    ]
    if messages:
        counter.count(messages)
        left -= len(messages)
counter.close()
consumer.close()
