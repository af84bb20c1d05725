#!/usr/bin/env python3
"""Compares an answer with DuckDB's, cell by cell. Runs with the Python of .peers/tools.

    judge.py reference QUERY EVENTS.ndjson REFERENCE.parquet    computes the reference
    judge.py check QUERY REFERENCE.parquet ANSWER               ANSWER: NDJSON file, folder of such, SQLite database (.db), or
                                                            DuckDB's (.duckdb) with a table `answer`

`check` prints `same` and ends with 0, or says what differs and ends with 1.
"""
import csv
import glob
import os
import sqlite3
import sys
import tempfile

import duckdb

from workloads import DOUBLES, KEYS, REFERENCES, TIMES, TOLERANCE, WHOLE

# What starts later comes from the event that pushes watermarks on.
END = 1_704_067_200_000 + 7_200_000
EVENTS = ("{event_id:'VARCHAR',timestamp:'BIGINT',user_id:'VARCHAR',device_type:'VARCHAR',country:'VARCHAR',"
          "category:'VARCHAR',quantity:'INTEGER',unit_price:'DOUBLE',total_amount:'DOUBLE'}")


def reference(query, events, out):
    database = duckdb.connect()
    database.execute(f"CREATE VIEW events AS SELECT * FROM read_json('{events}', format='newline_delimited', columns={EVENTS})")
    database.execute(f"COPY ({REFERENCES[query]}) TO '{out}.part' (FORMAT parquet)")
    os.replace(f"{out}.part", out)


def answer(query, place, folder):
    """The answer as an SQL table expression, or None when there is none."""
    time = TIMES.get(query, "window_start")
    types = {time: "BIGINT", **{key: "VARCHAR" for key in KEYS[query]},
             **{name: "BIGINT" for name in WHOLE[query]}, **{name: "DOUBLE" for name in DOUBLES[query]}}
    columns = "{" + ",".join(f"{name}:'{kind}'" for name, kind in types.items()) + "}"
    if place.endswith(".db"):
        path = os.path.join(folder, "answer.csv")
        source = sqlite3.connect(f"file:{place}?mode=ro", uri=True)
        with open(path, "w", newline="") as out:
            csv.writer(out).writerows(source.execute(f"SELECT {','.join(types)} FROM {query}"))
        source.close()
        types[time] = "TIMESTAMP"
        columns = "{" + ",".join(f"{name}:'{kind}'" for name, kind in types.items()) + "}"
        return f"(SELECT * REPLACE (epoch_ms({time}) AS {time}) FROM read_csv('{path}', columns={columns}, header=false))"
    if place.endswith(".duckdb"):
        path = os.path.join(folder, "answer.ndjson")
        with duckdb.connect(place, read_only=True) as source:
            source.execute(f"COPY (SELECT {','.join(types)} FROM answer) TO '{path}' (FORMAT json)")
        place = path
    files = [place]
    if os.path.isdir(place):
        files = [file for file in glob.glob(os.path.join(place, "*"))
                 if os.path.isfile(file) and os.path.getsize(file) and not os.path.basename(file).startswith(("_", "."))
                 and not file.endswith(".streamplat.json")]
    if not files or not all(map(os.path.exists, files)):
        return None
    if os.path.basename(files[0]) == f"{query}.ndjson":
        # streamplat's own files have times as text.
        columns = columns.replace(f"{time}:'BIGINT'", f"{time}:'TIMESTAMP'")
        return f"(SELECT * REPLACE (epoch_ms({time}) AS {time}) FROM read_json({files!r}, " \
               f"format='newline_delimited', columns={columns}))"
    return f"read_json({files!r}, format='newline_delimited', columns={columns})"


def check(query, expected, place):
    time = TIMES.get(query, "window_start")
    with tempfile.TemporaryDirectory() as folder:
        found = answer(query, place, folder)
        if found is None:
            return "there is no answer"
        database = duckdb.connect()
        database.execute(f"CREATE TABLE found AS SELECT * FROM {found} WHERE {time} < {END}")
    database.execute(f"CREATE TABLE expected AS FROM '{expected}'")
    keys = " AND ".join(f"e.{key} = f.{key}" for key in (time,) + KEYS[query])
    wrong = [f"f.{name} IS DISTINCT FROM e.{name}" for name in WHOLE[query]]
    wrong += [f"f.{name} IS NULL OR NOT abs(f.{name} - e.{name}) <= {TOLERANCE} * abs(e.{name})" for name in DOUBLES[query]]
    total = DOUBLES[query][0]
    rows = [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("expected", "found")]
    differing, worst = database.execute(
        f"SELECT count(*) FILTER (WHERE {' OR '.join(wrong)}), max(abs(f.{total} - e.{total}) / abs(e.{total})) "
        f"FROM expected e LEFT JOIN found f ON {keys}").fetchone()
    if rows[0] == rows[1] and differing == 0:
        return "same"
    return f"{rows[1]} rows instead of {rows[0]}, {differing} missing or different (largest difference of {total}: {worst})"


def main():
    verb, query, source, target = sys.argv[1:5]
    if verb == "reference":
        reference(query, source, target)
        return
    verdict = check(query, source, target)
    print(verdict)
    sys.exit(0 if verdict == "same" else 1)


if __name__ == "__main__":
    main()
