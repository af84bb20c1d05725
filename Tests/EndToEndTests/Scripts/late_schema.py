"""Messages of a schema that nobody knows yet, and that schema, later.

    late_schema.py copy     --broker HOST:PORT --registry URL --topic T
    late_schema.py register --broker HOST:PORT --registry URL --topic T

`copy` writes every message of the topic once more, with the id that the registry will give to the next new schema.
`register` registers that schema: the topic's own with a word of documentation. Exit 1 when the ids differ.
"""
import argparse
import json
import struct
import sys

from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from foreign_client import read_all

SUBJECT = "written-elsewhere-value"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("action", choices=["copy", "register"])
    for name in ("broker", "registry", "topic"):
        arguments.add_argument(f"--{name}", required=True)
    options = arguments.parse_args()
    registry = SchemaRegistryClient({"url": options.registry})
    known = registry.get_latest_version(f"{options.topic}-value")
    late = known.schema_id + 1
    if options.action == "register":
        schema = {**json.loads(known.schema.schema_str), "doc": "another writer's"}
        given = registry.register_schema(SUBJECT, Schema(json.dumps(schema), "AVRO"))
        if given != late:
            sys.exit(f"the registry gave id {given}, not {late}")
        return
    producer = Producer({"bootstrap.servers": options.broker})
    for message in read_all(options.broker, options.topic):
        value = struct.pack(">bI", 0, late) + message.value()[5:]
        producer.produce(options.topic, value, message.key(), partition=message.partition())
    if producer.flush(30):
        sys.exit("not all messages were delivered")


if __name__ == "__main__":
    main()
