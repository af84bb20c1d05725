"""Copies the result tables of a real server into a SQLite file in the form that the judge reads. The server is asked with
its own tools, not with ours.

    server_tables.py clickhouse --url http://127.0.0.1:8123 --user U --database D --into tables.db
    server_tables.py postgresql --port 5432 --user U --database D --into tables.db
    server_tables.py same one.db other.db          every table, row and cell of two such files

The password comes from the environment variable SERVER_PASSWORD. Timestamps become `2026-11-21 13:45:30.123`, decimals text, booleans 0 and 1.
"""
import argparse
import csv
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import urllib.request
from decimal import Decimal

from compare import instant

OWN = ("streamplat_tables", "streamplat_writers")


def clickhouse(options):
    """ClickHouse over HTTP: rows as a reader sees them, with FINAL."""
    def ask(sql):
        request = urllib.request.Request(
            f"{options.url}/?output_format_json_quote_64bit_integers=1", data=(sql + " FORMAT JSONCompact").encode(),
            headers={"X-ClickHouse-User": options.user, "X-ClickHouse-Key": options.password})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer, parse_float=str)

    def cell(value, kind, is_instant):
        if value is None:
            return None
        kind = re.sub(r"^Nullable\((.*)\)$", r"\1", kind)
        if nested := re.match(r"(?:Array\(|Map\(String, )(.*)\)$", kind):
            # As the JSON text that other sinks hold.
            shown = ({key: cell(one, nested[1], False) for key, one in value.items()} if isinstance(value, dict)
                     else [cell(one, nested[1], False) for one in value])
            return json.dumps(shown, separators=(",", ":"), ensure_ascii=False)
        if kind.startswith("Float"):
            return float(value)
        if kind == "Bool":
            return int(value in (True, "true", 1))
        if re.match(r"U?Int", kind):
            return instant(int(value)) if is_instant else int(value)
        return str(value)

    database = options.database
    names = [row[0] for row in ask(f"SELECT name FROM system.tables WHERE database = '{database}' ORDER BY name")["data"]]
    for name in names:
        if name in OWN:
            continue
        columns = ask(f"SELECT name, default_kind FROM system.columns WHERE database = '{database}' AND table = '{name}'")
        aliases = {row[0] for row in columns["data"] if row[1] == "ALIAS"}
        stored = [row[0] for row in columns["data"] if row[1] != "ALIAS" and row[0] != "_version"]
        # A column that holds milliseconds has a readable companion.
        instants = {column for column in stored if f"{column}_datetime" in aliases}
        answer = ask(f"SELECT {', '.join(f'`{column}`' for column in stored)} FROM {database}.`{name}` FINAL")
        kinds = [column["type"] for column in answer["meta"]]
        yield name, stored, [
            [cell(value, kind, column in instants) for value, kind, column in zip(row, kinds, stored)]
            for row in answer["data"]]


def postgresql(options):
    """PostgreSQL with psql."""
    def ask(sql):
        command = ["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(options.port), "-U", options.user, "-d", options.database,
                   "-v", "ON_ERROR_STOP=1", "-c", f"COPY ({sql}) TO STDOUT (FORMAT csv, NULL '\\N')"]
        answer = subprocess.run(
            command, check=True, capture_output=True, text=True, env={**os.environ, "PGPASSWORD": options.password})
        return list(csv.reader(io.StringIO(answer.stdout)))

    def cell(value, kind):
        if value == "\\N":
            return None
        if kind in ("bigint", "integer", "smallint"):
            return int(value)
        if kind in ("double precision", "real"):
            return float(value)
        if kind == "boolean":
            return int(value == "t")
        return value

    tables = ask("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1")
    for (name,) in tables:
        if name in OWN:
            continue
        columns = ask("SELECT column_name, data_type FROM information_schema.columns "
                      f"WHERE table_schema = 'public' AND table_name = '{name}' ORDER BY ordinal_position")
        shown = [
            f"to_char(\"{column}\" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS')" if kind.startswith("timestamp")
            else f'"{column}"' for column, kind in columns]
        rows = ask(f"SELECT {', '.join(shown)} FROM \"{name}\"")
        yield name, [column for column, _ in columns], [
            [cell(value, kind) for value, (_, kind) in zip(row, columns)] for row in rows]


def store(tables, path):
    connection = sqlite3.connect(path)
    for name, columns, rows in tables:
        connection.execute(f'CREATE TABLE "{name}" ({", ".join(f"{chr(34)}{column}{chr(34)}" for column in columns)})')
        connection.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(columns))})', rows)
        print(f"{name}: {len(rows)} rows")
    connection.commit()
    connection.close()


def content(path):
    """Table → its columns, and its rows in a form in which 1.50 and 1.5000 are equal."""
    def canonical(value):
        if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
            return ("number", Decimal(value).normalize())
        if isinstance(value, int):
            return ("number", Decimal(value).normalize())
        return (type(value).__name__, value)

    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {}
    for name in names:
        if name in OWN or name.startswith("_"):
            continue
        columns = sorted(row[1] for row in connection.execute(f'PRAGMA table_info("{name}")'))
        rows = connection.execute(f"SELECT {', '.join(f'{chr(34)}{column}{chr(34)}' for column in columns)} FROM \"{name}\"")
        found[name] = (columns, sorted(([canonical(value) for value in row] for row in rows), key=repr))
    return found


def same(one, other):
    left, right = content(one), content(other)
    differences = 0
    for name in sorted(set(left) | set(right)):
        if name not in left or name not in right:
            print(f"{name} is only in {one if name in left else other}")
            differences += 1
        elif left[name] != right[name]:
            differences += 1
            print(f"{name} differs: columns {left[name][0]} and {right[name][0]}, {len(left[name][1])} and {len(right[name][1])} rows")
            for a, b in zip(left[name][1], right[name][1]):
                if a != b:
                    print(f"  {a}\n  {b}")
                    break
    rows = sum(len(rows) for _, rows in left.values())
    print(f"{len(left)} tables with {rows} rows, {differences} differ")
    return 0 if differences == 0 and rows > 0 else 1


def main():
    if sys.argv[1:2] == ["same"]:
        sys.exit(same(*sys.argv[2:4]))
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("server", choices=["clickhouse", "postgresql"])
    for name in ("url", "user", "database", "into"):
        arguments.add_argument(f"--{name}")
    arguments.add_argument("--port", type=int)
    options = arguments.parse_args()
    # Not an argument: others could read it in the list of processes.
    options.password = os.environ["SERVER_PASSWORD"]
    store({"clickhouse": clickhouse, "postgresql": postgresql}[options.server](options), options.into)


if __name__ == "__main__":
    main()
