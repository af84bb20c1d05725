"""Writes Avro container files with fastavro, and what fastavro's reader says of them.

containers.py FOLDER SEED: all-<codec>.avro with all-<codec>.txt (a line a record, a value a column, as text() writes
them), and blocks-<codec>.avro with 1,000 small records in many blocks.
"""
import datetime
import decimal
import json
import math
import os
import random
import struct
import sys

import fastavro

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

ALL = fastavro.parse_schema({
    "type": "record", "name": "line", "namespace": "com.example", "fields": [
        {"name": "user", "type": "string"},
        {"name": "timestamp", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "unwanted", "type": {"type": "array", "items": "double"}},
        {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
        {"name": "exact", "type": {"type": "fixed", "name": "nine", "size": 9, "logicalType": "decimal",
                                   "precision": 20, "scale": 4}},
        {"name": "ratio", "type": "double"},
        {"name": "small", "type": "float"},
        {"name": "wide", "type": "float"},
        {"name": "n", "type": "int"},
        {"name": "big", "type": ["long", "null"]},
        {"name": "flag", "type": "boolean"},
        {"name": "note", "type": ["null", "string"]},
        {"name": "code", "type": {"type": "enum", "name": "codes", "symbols": ["A", "B"]}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "seen", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "at", "type": "long"},
        {"name": "raw", "type": "bytes"},
        {"name": "mixed", "type": ["null", "long", "double"]},
        {"name": "location", "type": ["null", {"type": "record", "name": "place", "fields": [
            {"name": "zip", "type": "int"},
            {"name": "country", "type": "string"},
            {"name": "lat", "type": ["null", "double"]}]}]},
        {"name": "limits", "type": {"type": "map", "values": "long"}},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "counts", "type": {"type": "map", "values": "long"}},
        {"name": "parts", "type": {"type": "array", "items": {"type": "record", "name": "part", "fields": [
            {"name": "sku", "type": "string"},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {"name": "n", "type": ["null", "int"]}]}}},
    ]})


def record(rng):
    word = lambda: "".join(rng.choice("abcé\U0001F600 \"\\\n,") for _ in range(rng.randrange(6)))
    real = lambda: rng.choice([math.nan, math.inf, -math.inf, 0.0, 0.1, rng.uniform(-1e9, 1e9), rng.gauss(0, 1e-9)])
    moment = lambda: EPOCH + datetime.timedelta(microseconds=rng.randrange(-10**15, 10**15))
    return {
        "user": word() + "u", "timestamp": moment(), "unwanted": [1.5] * rng.randrange(3),
        "amount": decimal.Decimal(rng.randrange(-10**12 + 1, 10**12)).scaleb(-2),
        "exact": decimal.Decimal(rng.randrange(-10**20 + 1, 10**20)).scaleb(-4),
        "ratio": real(), "small": rng.choice([math.nan, rng.gauss(0, 1)]), "wide": rng.gauss(0, 1),
        "n": rng.randrange(-2**31, 2**31), "big": rng.choice([None, rng.randrange(-2**63, 2**63)]),
        "flag": rng.random() < 0.5, "note": rng.choice([None, "", word()]), "code": rng.choice("AB"),
        "day": datetime.date(1970, 1, 1) + datetime.timedelta(days=rng.randrange(-700000, 2900000)),
        "seen": moment(), "at": rng.randrange(-10**9, 10**10), "raw": rng.randbytes(rng.randrange(5)),
        "mixed": rng.choice([None, rng.randrange(1000), rng.random()]),
        "location": rng.choice([None, {"zip": 1, "country": word(), "lat": rng.choice([None, rng.random()])}]),
        "limits": rng.choice([{}, {"low": rng.randrange(100), "other": 1}, {"high": 5, "low": 7}]),
        "tags": [word() for _ in range(rng.randrange(3))], "counts": {word(): 1 for _ in range(rng.randrange(2))},
        "parts": [{"sku": word(), "at": moment(), "n": rng.choice([None, 1])} for _ in range(rng.randrange(3))],
    }


def millis(moment):
    return (moment - EPOCH) // datetime.timedelta(milliseconds=1)


def text(value):
    """As ContainerTests.text: ~ for null, whole numbers, doubles by their bits, the bytes of all else in hex."""
    if value is None:
        return "~"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack(">d", value).hex()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, dict)):
        value = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return (value if isinstance(value, bytes) else value.encode()).hex()


def row(r):
    place = r["location"] or {"country": None, "lat": None}
    mixed = None if r["mixed"] is None else float(r["mixed"])
    parts = [{"sku": p["sku"], "at": millis(p["at"]), "n": p["n"]} for p in r["parts"]]
    values = [
        millis(r["timestamp"]), r["user"], int(r["amount"].scaleb(2)), int(r["exact"].scaleb(4)), r["ratio"],
        r["small"], r["wide"], r["n"], r["big"], r["flag"], r["note"], r["code"],
        (r["day"] - datetime.date(1970, 1, 1)).days, millis(r["seen"]), r["at"] * 1000, r["raw"], mixed,
        place["country"], place["lat"], r["limits"].get("low"), r["tags"], r["counts"], parts]
    return " ".join(text(value) for value in values)


def main(folder, seed):
    decimal.getcontext().prec = 40
    rng = random.Random(seed)
    for codec in ["null", "deflate"]:
        path = os.path.join(folder, f"all-{codec}.avro")
        with open(path, "wb") as out:
            fastavro.writer(out, ALL, (record(rng) for _ in range(1500)), codec=codec, sync_interval=4000)
        with open(path, "rb") as file, open(path[:-4] + "txt", "w") as out:
            out.writelines(row(r) + "\n" for r in fastavro.reader(file))
        small = fastavro.parse_schema({"type": "record", "name": "small", "fields": [
            {"name": "user_id", "type": "string"}, {"name": "timestamp", "type": "long"},
            {"name": "n", "type": "long"}]})
        records = [{"user_id": f"u{i % 7}", "timestamp": 1_600_000_000_000 + i, "n": 2**40 if i == 500 else i}
                   for i in range(1000)]
        with open(os.path.join(folder, f"blocks-{codec}.avro"), "wb") as out:
            fastavro.writer(out, small, records, codec=codec, sync_interval=400)


main(sys.argv[1], int(sys.argv[2]))
