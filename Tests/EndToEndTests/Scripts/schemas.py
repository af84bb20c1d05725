#!/usr/bin/env python3
"""Parses Avro schema files with fastavro; exit 1 with the name of each that it refuses.

    schemas.py FILE...
"""
import json
import sys

import fastavro

refused = 0
for path in sys.argv[1:]:
    try:
        with open(path, encoding="utf-8") as file:
            fastavro.parse_schema(json.load(file))
    except Exception as error:  # whatever it refuses with is the finding
        refused += 1
        print(f"{path}: {type(error).__name__}: {error}")
print(f"{len(sys.argv) - 1 - refused} schemas accepted")
sys.exit(1 if refused or len(sys.argv) < 2 else 0)
