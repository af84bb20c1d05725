"""Random record schemas with random records, encoded by fastavro.

random_schemas.py SEED COUNT: a line of JSON for each schema: its text, each record's datum in hex as fastavro writes it,
and what fastavro's reader makes of the datum, as the JSON that a json column holds.
"""
import datetime
import decimal
import io
import json
import math
import random
import re
import sys

import fastavro

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class Schemas:
    def __init__(self, rng):
        self.rng = rng
        self.names = 0

    def name(self):
        self.names += 1
        return f"n{self.names}"

    def type(self, depth):
        kinds = ["null", "boolean", "int", "long", "float", "double", "string", "bytes", "fixed", "enum", "decimal",
                 "fixed decimal", "date", "millis", "micros", "uuid"]
        if depth < 4:
            kinds += ["record", "array", "map", "optional"] * 4
        kind = self.rng.choice(kinds)
        if kind in ("boolean", "int", "long", "float", "double", "string", "bytes", "null"):
            return kind
        if kind == "fixed":
            return {"type": "fixed", "name": self.name(), "size": self.rng.randrange(1, 20)}
        if kind == "enum":
            symbols = ["A", "_b", "C3", "dd"][:self.rng.randrange(1, 5)]
            return {"type": "enum", "name": self.name(), "symbols": symbols}
        if kind == "decimal":
            return {"type": "bytes", "logicalType": "decimal", "precision": self.rng.randrange(1, 39),
                    "scale": 0 if self.rng.random() < 0.5 else 1}
        if kind == "fixed decimal":
            return {"type": "fixed", "name": self.name(), "size": 16, "logicalType": "decimal",
                    "precision": self.rng.randrange(5, 39), "scale": self.rng.randrange(5)}
        if kind == "record":
            return self.record(depth + 1)
        if kind == "array":
            return {"type": "array", "items": self.type(depth + 1)}
        if kind == "map":
            return {"type": "map", "values": self.type(depth + 1)}
        if kind == "optional":
            inner = "null"
            while inner == "null" or isinstance(inner, list):
                inner = self.type(depth + 1)
            return ["null", inner] if self.rng.random() < 0.7 else [inner, "null"]
        base, logical = {"date": ("int", "date"), "millis": ("long", "timestamp-millis"),
                         "micros": ("long", "timestamp-micros"), "uuid": ("string", "uuid")}[kind]
        return {"type": base, "logicalType": logical}

    def record(self, depth):
        return {"type": "record", "name": self.name(), "fields": [
            {"name": f"f{index}", "type": self.type(depth)} for index in range(self.rng.randrange(1, 5))]}


def integer(rng, bits):
    value = rng.choice([0, 1, -1, 2**(bits - 1) - 1, -2**(bits - 1), rng.getrandbits(bits - 1), -rng.getrandbits(7)])
    return value


def word(rng):
    return "".join(rng.choice("aZ09 \"\\/\n\t\x01é\u2028\U0001F600") for _ in range(rng.randrange(8)))


def value(rng, schema):
    """A value as fastavro takes it."""
    if isinstance(schema, list):
        return value(rng, rng.choice(schema))
    kind = schema if isinstance(schema, str) else schema["type"]
    logical = None if isinstance(schema, str) else schema.get("logicalType")
    if logical == "decimal":
        unscaled = rng.randrange(-10**schema["precision"] + 1, 10**schema["precision"])
        return decimal.Decimal(unscaled).scaleb(-schema["scale"])
    if logical == "date":
        return datetime.date(1970, 1, 1) + datetime.timedelta(days=rng.randrange(-700000, 2900000))
    if logical == "timestamp-millis":
        return EPOCH + datetime.timedelta(milliseconds=rng.randrange(-10**13, 10**13))
    if logical == "timestamp-micros":
        return EPOCH + datetime.timedelta(microseconds=rng.randrange(-10**16, 10**16))
    if logical == "uuid":
        return "%08x-0000-4000-8000-%012x" % (rng.getrandbits(32), rng.getrandbits(48))
    if kind == "null":
        return None
    if kind == "boolean":
        return rng.random() < 0.5
    if kind in ("int", "long"):
        return integer(rng, 32 if kind == "int" else 64)
    if kind == "float":
        # With few digits, so that both sides show them alike.
        return rng.choice([math.nan, math.inf, -math.inf, rng.randrange(-8000, 8000) / 8])
    if kind == "double":
        return rng.choice([math.nan, math.inf, -math.inf, -0.0, 5e-324, rng.gauss(0, 1), rng.gauss(0, 1e300)])
    if kind == "string":
        return word(rng)
    if kind == "bytes":
        return rng.randbytes(rng.randrange(6))
    if kind == "fixed":
        return rng.randbytes(schema["size"])
    if kind == "enum":
        return rng.choice(schema["symbols"])
    if kind == "array":
        return [value(rng, schema["items"]) for _ in range(rng.randrange(4))]
    if kind == "map":
        return {word(rng): value(rng, schema["values"]) for _ in range(rng.randrange(4))}
    return {field["name"]: value(rng, field["type"]) for field in schema["fields"]}


def shown(schema, v):
    """What fastavro read, as a json column shows it."""
    if isinstance(schema, list):
        return None if v is None else shown(next(branch for branch in schema if branch != "null"), v)
    kind = schema if isinstance(schema, str) else schema["type"]
    if isinstance(v, decimal.Decimal):
        return f"@@{v:f}@@"
    if isinstance(v, datetime.datetime):
        unit = datetime.timedelta(microseconds=1 if schema["logicalType"] == "timestamp-micros" else 1000)
        return (v - EPOCH) // unit
    if isinstance(v, datetime.date):
        return (v - datetime.date(1970, 1, 1)).days
    if isinstance(v, float) and not math.isfinite(v):
        return "NaN" if math.isnan(v) else "Infinity" if v > 0 else "-Infinity"
    if isinstance(v, bytes):
        return v.decode("latin-1")
    if kind == "array":
        return [shown(schema["items"], item) for item in v]
    if kind == "map":
        return {key: shown(schema["values"], item) for key, item in v.items()}
    if kind == "record":
        return {field["name"]: shown(field["type"], v[field["name"]]) for field in schema["fields"]}
    return v if isinstance(v, (str, int, float, type(None))) else str(v)


def main(seed, count):
    decimal.getcontext().prec = 50
    for index in range(count):
        rng = random.Random(f"{seed}/{index}")
        schema = Schemas(rng).record(0)
        schema["fields"].insert(0, {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}})
        parsed = fastavro.parse_schema(json.loads(json.dumps(schema)))
        datums, texts = [], []
        for _ in range(4):
            out = io.BytesIO()
            fastavro.schemaless_writer(out, parsed, value(rng, schema))
            datums.append(out.getvalue().hex())
            read = fastavro.schemaless_reader(io.BytesIO(out.getvalue()), parsed, None)
            # Numbers with all their digits, which json.dumps cannot write.
            texts.append(re.sub(r'"@@(-?[0-9.]+)@@"', r"\1", json.dumps(shown(schema, read))))
        print(json.dumps({"schema": json.dumps(schema), "datums": datums, "records": texts}))


main(int(sys.argv[1]), int(sys.argv[2]))
