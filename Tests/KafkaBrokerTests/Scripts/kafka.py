"""Kafka through confluent-kafka, as another team's program would use it: write, read, set-config."""
import json
import sys

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource


def write(servers, topic, count):
    """Writes records with key, headers and timestamp; prints the partition of each key."""
    placed = {}
    producer = Producer({"bootstrap.servers": servers, "partitioner": "murmur2_random", "compression.type": "zstd"})

    def note(error, message):
        assert error is None, error
        placed[message.key().decode()] = message.partition()

    for number in range(int(count)):
        producer.produce(
            topic, key=f"key {number}", value=None if number % 10 == 9 else f"value {number}",
            headers=[("number", str(number).encode()), ("empty", b"")],
            timestamp=1_600_000_000_000 + number, on_delivery=note)
    assert producer.flush(20) == 0
    print(json.dumps(placed))


def read(servers, topic, partitions):
    """Prints every record of the topic, by partition."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": f"test.{topic}", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(int(partitions))])
    ended, records = set(), []
    while len(ended) < int(partitions):
        message = consumer.poll(10)
        assert message is not None, "nothing came"
        if message.error():
            assert message.error().name() == "_PARTITION_EOF", message.error()
            ended.add(message.partition())
            continue

        def text(value):
            return None if value is None else value.decode()

        records.append({
            "partition": message.partition(), "offset": message.offset(), "key": text(message.key()),
            "value": text(message.value()), "timestamp": message.timestamp()[1],
            "headers": [f"{name}={value.decode()}" for name, value in message.headers() or []],
        })
    consumer.close()
    print(json.dumps(sorted(records, key=lambda record: (record["partition"], record["offset"]))))


def set_config(servers, topic, key, value):
    entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource("topic", topic, incremental_configs=[entry])
    client = AdminClient({"bootstrap.servers": servers})
    for future in client.incremental_alter_configs([resource]).values():
        future.result()


if __name__ == "__main__":
    {"write": write, "read": read, "set-config": set_config}[sys.argv[2]](sys.argv[1], *sys.argv[3:])
