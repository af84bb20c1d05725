"""Arrays and maps in blocks that say their size in bytes, as writers that do not know the count beforehand write them.

sized_blocks.py SEED COUNT: a line of JSON for each of three schemas: its text, and COUNT data, each in hex with the array or
map as JSON and the text behind it, as fastavro's reader finds them. fastavro writes the elements; it puts no sizes before
blocks, so the blocks are put together here.
"""
import io
import json
import random
import sys

import fastavro

ITEMS = {
    "strings": ("array", "string", lambda rng: rng.choice(["", "a", "grün", "x" * 200])),
    "records": ("array", {"type": "record", "name": "item", "fields": [
        {"name": "sku", "type": "string"}, {"name": "count", "type": ["null", "long"]},
        {"name": "tags", "type": {"type": "array", "items": "int"}}]},
        lambda rng: {"sku": f"s{rng.randrange(9)}", "count": rng.choice([None, -3, 1 << 40]),
                     "tags": [rng.randrange(-99, 99) for _ in range(rng.randrange(3))]}),
    "map": ("map", "long", lambda rng: rng.randrange(-1 << 40, 1 << 40)),
}


def long(number):
    number = (number << 1) ^ (number >> 63)
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def written(schema, value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, value)
    return out.getvalue()


def blocks(rng, elements):
    """Any number of blocks, with and without a size, and the end."""
    out = b""
    while elements:
        count = rng.randrange(1, len(elements) + 1)
        body = b"".join(elements[:count])
        out += long(-count) + long(len(body)) + body if rng.random() < 0.7 else long(count) + body
        elements = elements[count:]
    return out + b"\0"


rng = random.Random(int(sys.argv[1]))
for kind, item, make in ITEMS.values():
    schema = {"type": "record", "name": "event", "fields": [
        {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "value", "type": {"type": kind, "items" if kind == "array" else "values": item}},
        {"name": "last", "type": "string"}]}
    parsed = fastavro.parse_schema(json.loads(json.dumps(schema)))
    data = []
    for number in range(int(sys.argv[2])):
        size = rng.choice([0, 1, 2, 5, 40])
        if kind == "array":
            value = [make(rng) for _ in range(size)]
            elements = [written(item, each) for each in value]
        else:
            value = {f"k{i}": make(rng) for i in range(size)}
            elements = [written("string", key) + written(item, each) for key, each in value.items()]
        datum = long(number) + blocks(rng, elements) + written("string", f"row {number}")
        found = fastavro.schemaless_reader(io.BytesIO(datum), parsed)
        assert found["value"] == value and found["last"] == f"row {number}"
        data.append({"hex": datum.hex(), "value": json.dumps(found["value"]), "last": found["last"]})
    print(json.dumps({"schema": json.dumps(schema), "data": data}))
