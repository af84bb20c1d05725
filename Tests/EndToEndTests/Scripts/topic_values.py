"""Prints the values of a topic's committed records, a line each: topic_values.py SERVERS TOPIC."""
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

servers, topic = sys.argv[1:]
consumer = Consumer({
    "bootstrap.servers": servers, "group.id": f"test.{topic}", "enable.partition.eof": True,
    "isolation.level": "read_committed", "receive.message.max.bytes": 1_000_000_000})
partitions = consumer.list_topics(topic, 10).topics[topic].partitions
consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
ended = set()
while len(ended) < len(partitions):
    message = consumer.poll(30)
    assert message is not None, "nothing came"
    if message.error():
        assert message.error().name() == "_PARTITION_EOF", message.error()
        ended.add(message.partition())
        continue
    sys.stdout.buffer.write(message.value() + b"\n")
consumer.close()
