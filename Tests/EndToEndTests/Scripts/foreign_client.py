"""Another language's Kafka client with its own Avro library reads one of our topics and writes to it.

    foreign_client.py --broker HOST:PORT --registry URL --topic T --events E.ndjson --write MORE.ndjson

Reads the whole topic, decodes every message with the schema that the registry gives for its id, and compares all fields
with the generated file, whatever the order. Then writes the same events once more with other ids, as that client
serialises them, and the file that holds what it wrote. Exit 1 at any difference.
"""
import argparse
import datetime
import json
import sys
import time

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

UTC = datetime.timezone.utc


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=UTC)


def read_all(broker, topic):
    consumer = Consumer({
        "bootstrap.servers": broker, "group.id": "foreign", "enable.auto.commit": False, "auto.offset.reset": "earliest"})
    partitions = list(consumer.list_topics(topic, 10).topics[topic].partitions)
    ends = {number: consumer.get_watermark_offsets(TopicPartition(topic, number), 10)[1] for number in partitions}
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    messages, deadline = [], time.monotonic() + 60
    while len(messages) < sum(ends.values()) and time.monotonic() < deadline:
        for message in consumer.consume(10_000, 1):
            if message.error():
                sys.exit(f"cannot read: {message.error()}")
            messages.append(message)
    consumer.close()
    if len(messages) != sum(ends.values()):
        sys.exit(f"{len(messages)} of {sum(ends.values())} messages came")
    return messages


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("broker", "registry", "topic", "events", "write"):
        arguments.add_argument(f"--{name}", required=True)
    options = arguments.parse_args()
    with open(options.events) as file:
        events = [json.loads(line) for line in file]
    expected = {event["event_id"]: {**event, "timestamp": instant(event["timestamp"])} for event in events}

    registry = SchemaRegistryClient({"url": options.registry})
    context = SerializationContext(options.topic, MessageField.VALUE)
    deserialize = AvroDeserializer(registry)
    messages = read_all(options.broker, options.topic)
    for message in messages:
        value = deserialize(message.value(), context)
        wanted = expected.pop(value["event_id"], None)
        if wanted != value:
            sys.exit(f"read {value}\nwanted {wanted}")
        if message.key().decode() != value["user_id"]:
            sys.exit(f"the key of {value['event_id']} is {message.key()}")
        # Old events must not fall to retention: a topic keeps when they were appended.
        if message.timestamp()[0] != TIMESTAMP_LOG_APPEND_TIME or abs(message.timestamp()[1] / 1000 - time.time()) > 600:
            sys.exit(f"the time of {value['event_id']} is {message.timestamp()}")
    if expected:
        sys.exit(f"{len(expected)} events are not in the topic")
    print(f"{len(messages)} messages are as they were generated")

    schema = registry.get_latest_version(f"{options.topic}-value").schema
    serialize = AvroSerializer(registry, schema, conf={"auto.register.schemas": False, "use.latest.version": True})
    producer = Producer({"bootstrap.servers": options.broker, "linger.ms": 20, "compression.type": "gzip"})
    failures = []
    with open(options.write, "w") as out:
        for event in events:
            event["event_id"] = f"again-{event['event_id']}"
            value = serialize({**event, "timestamp": instant(event["timestamp"])}, context)
            while True:
                try:
                    producer.produce(
                        options.topic, value, event["user_id"].encode(),
                        on_delivery=lambda error, _: failures.append(error) if error else None)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
            out.write(json.dumps(event) + "\n")
    producer.flush(60)
    if failures:
        sys.exit(f"{len(failures)} messages were not written: {failures[0]}")
    print(f"{len(events)} messages written")


if __name__ == "__main__":
    main()
