"""Prints all result tables of a SQLite database as text, in the order of their keys: two dumps are equal if and only if
the tables hold the same rows.

    dump.py results.db [--counts]        --counts: only the names and numbers of rows
"""
import sqlite3
import sys


def main():
    connection = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
    names = [row[0] for row in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name")]
    for name in names:
        columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]
        # repr of a double names it exactly.
        rows = [tuple(map(repr, row)) for row in connection.execute(f'SELECT * FROM "{name}"')]
        print(f"{name} ({', '.join(columns)}): {len(rows)} rows")
        if "--counts" not in sys.argv:
            for row in sorted(rows):
                print("  " + " | ".join(row))


if __name__ == "__main__":
    main()
