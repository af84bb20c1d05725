"""Compares an Avro object container file, as fastavro reads it, with the same records as NDJSON: all fields, in order.

    same_records.py events.avro events.ndjson          exit 0: the same records, 1: not
"""
import datetime
import json
import struct
import sys
import uuid
from decimal import Decimal

import fastavro


def plain(value):
    """What Avro's types are in NDJSON."""
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    if isinstance(value, (datetime.date, uuid.UUID)):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    return value


def same(avro, text):
    if isinstance(avro, dict) and isinstance(text, dict):
        return list(avro) == list(text) and all(same(avro[name], text[name]) for name in avro)
    if isinstance(avro, list) and isinstance(text, list):
        return len(avro) == len(text) and all(map(same, avro, text))
    if isinstance(avro, float) and isinstance(text, (int, Decimal)) and not isinstance(text, bool):
        # A float of 32 bits is written with the digits that name it among those of 32 bits.
        return avro == float(text) or struct.pack("f", avro) == struct.pack("f", float(text))
    if isinstance(avro, Decimal):
        # All digits of the scale, not only the value.
        return str(avro) == str(text)
    return type(avro) is type(text) and avro == text


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    count = 0
    with open(sys.argv[1], "rb") as container, open(sys.argv[2], encoding="utf-8") as lines:
        reader = fastavro.reader(container)
        for count, record in enumerate(reader, 1):
            line = lines.readline()
            if not line or not same(plain(record), json.loads(line, parse_float=Decimal)):
                sys.exit(f"record {count}:\n  Avro   {plain(record)}\n  NDJSON {line}")
        if lines.readline():
            sys.exit(f"the Avro file ends after {count} records, the NDJSON file goes on")
    print(f"{count} records agree")
    sys.exit(0 if count else 1)


if __name__ == "__main__":
    main()
