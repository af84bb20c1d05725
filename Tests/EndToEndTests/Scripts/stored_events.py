"""Of generated events the ones that reached the log, for the judge: a generator that was killed wrote only some.

    stored_events.py results.db TABLE --out E.ndjson FILE.ndjson [FILE.ndjson …]

TABLE is the table of raw events. Every event there must be one of the files, which are written by `generate --out`.
"""
import json
import sqlite3
import sys


def main():
    database, table, _, out, *files = sys.argv[1:]
    stored = {row[0] for row in sqlite3.connect(f"file:{database}?mode=ro", uri=True).execute(f'SELECT event_id FROM "{table}"')}
    written = 0
    with open(out, "w", encoding="utf-8") as target:
        for file in files:
            for line in open(file, encoding="utf-8"):
                if json.loads(line)["event_id"] in stored:
                    target.write(line)
                    written += 1
    print(f"{written} of the events are stored, {len(stored)} rows are in {table}")
    sys.exit(0 if written == len(stored) > 0 else 1)


if __name__ == "__main__":
    main()
