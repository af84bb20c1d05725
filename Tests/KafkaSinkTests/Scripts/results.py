"""Topics of results through confluent-kafka, as another team's program would use them."""
import json
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic


def read(servers, topic, isolation):
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
            "partition": message.partition(), "offset": message.offset(),
            "key": None if message.key() is None else message.key().decode(), "value": message.value().decode(),
            "headers": len(message.headers() or [])})
    consumer.close()
    print(json.dumps(sorted(records, key=lambda record: (record["partition"], record["offset"]))))


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
        "read": read, "fence": fence, "make": make, "put": put, "again": again, "set-config": set_config, "config": config}
    actions[sys.argv[2]](sys.argv[1], *sys.argv[3:])
