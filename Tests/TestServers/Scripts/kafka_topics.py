"""Topics through confluent-kafka, as another team's program would use them: SERVERS ACTION TOPIC ..."""
import json
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic


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


def read(servers, topic, isolation="read_committed"):
    """Prints every record of the topic, by partition."""
    consumer = Consumer({
        "bootstrap.servers": servers, "group.id": f"test.{topic}", "enable.partition.eof": True,
        "isolation.level": isolation, "auto.offset.reset": "earliest"})
    partitions = consumer.list_topics(topic, 10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
    ended, records = set(), []
    while len(ended) < len(partitions):
        message = consumer.poll(10)
        assert message is not None, "nothing came"
        if message.error():
            assert message.error().name() == "_PARTITION_EOF", message.error()
            ended.add(message.partition())
            continue
        records.append({
            "partition": message.partition(), "offset": message.offset(), "key": text(message.key()),
            "value": text(message.value()), "timestamp": message.timestamp()[1],
            "headers": [f"{name}={value.decode()}" for name, value in message.headers() or []]})
    consumer.close()
    print(json.dumps(sorted(records, key=lambda record: (record["partition"], record["offset"]))))


def text(value):
    return None if value is None else value.decode()


def fence(servers, identifier):
    """Begins transactions with an id, which ends an older producer's."""
    producer = Producer({"bootstrap.servers": servers, "transactional.id": identifier})
    producer.init_transactions(10)


def make(servers, topic):
    client = AdminClient({"bootstrap.servers": servers})
    client.create_topics([NewTopic(topic, 1, 1)])[topic].result()


def put(servers, topic, key, value):
    producer = Producer({"bootstrap.servers": servers})
    producer.produce(topic, key=key, value=value)
    assert producer.flush(20) == 0


def again(servers, topic):
    """The topic is another one, without records."""
    client = AdminClient({"bootstrap.servers": servers})
    client.delete_topics([topic])[topic].result()
    make(servers, topic)


def set_config(servers, topic, key, value):
    entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource("topic", topic, incremental_configs=[entry])
    client = AdminClient({"bootstrap.servers": servers})
    for future in client.incremental_alter_configs([resource]).values():
        future.result()


def config(servers, topic):
    resource = ConfigResource("topic", topic)
    client = AdminClient({"bootstrap.servers": servers})
    for future in client.describe_configs([resource]).values():
        print(json.dumps({key: entry.value for key, entry in future.result().items()}))


if __name__ == "__main__":
    actions = {
        "write": write, "read": read, "fence": fence, "make": make, "put": put, "again": again,
        "set-config": set_config, "config": config}
    actions[sys.argv[2]](sys.argv[1], *sys.argv[3:])
