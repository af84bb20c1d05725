"""Compares result tables of a SQLite database with rows that were computed elsewhere, cell by cell.

By hand, for any relation that DuckDB can read:

    compare.py results.db spec.json

`spec.json` is a list of {"table", "sql", "keys": [...], "columns": {name: kind}, "setup": [...]}: `sql` gives the keys
and then the columns, in that order; kinds are exact, decimal, double, timestamp (milliseconds since the epoch) and text.
Keys may have kinds too: {"keys": {name: kind}}. Exit 1 at any difference, after the first ones were printed.
"""
import datetime
import json
import math
import sqlite3
import sys
from decimal import Decimal

SHOWN = 5
RELATIVE = 1e-12
EPOCH = datetime.datetime(1970, 1, 1)


def instant(milliseconds):
    """As the SQLite sink writes it: `2026-11-21 13:45:30.123`."""
    moment = EPOCH + datetime.timedelta(milliseconds=milliseconds)
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03d}"


def normal(value, kind):
    """A cell in the form in which it is compared; None stays None."""
    if value is None:
        return None
    if kind in ("exact", "decimal"):
        if isinstance(value, float):
            raise ValueError(f"{value!r} is a double where a number without rounding is due")
        return Decimal(int(value)) if isinstance(value, bool) else Decimal(str(value))
    if kind == "double":
        return float(value)
    if kind == "timestamp":
        if isinstance(value, datetime.datetime):
            value = (value - EPOCH) // datetime.timedelta(milliseconds=1)
        return instant(value) if isinstance(value, int) else value
    return value if isinstance(value, str) else str(value)


def same(found, expected, kind):
    if found is None or expected is None:
        return found is expected
    if kind == "double":
        return found == expected or math.isclose(found, expected, rel_tol=RELATIVE, abs_tol=0.0)
    return found == expected


class Expectation:
    """One table as it should be. `keys` and `columns`: name → kind; `rows`: key cells, then column cells."""

    def __init__(self, table, keys, columns, rows):
        self.table, self.keys, self.columns = table, keys, columns
        kinds = list(keys.values()) + list(columns.values())
        self.rows = {}
        for row in rows:
            cells = [normal(cell, kind) for cell, kind in zip(row, kinds, strict=True)]
            key = tuple(cells[:len(keys)])
            if key in self.rows:
                raise ValueError(f"{table}: the oracle gives the key {key} twice")
            self.rows[key] = cells[len(keys):]

    def differences(self, connection):
        """Texts of what differs, the first ones in full, and how many cells agreed."""
        names = list(self.keys) + list(self.columns)
        kinds = list(self.keys.values()) + list(self.columns.values())
        present = [row[1] for row in connection.execute(f'PRAGMA table_info("{self.table}")')]
        if not present:
            return [f"table '{self.table}' is not there"], 0
        if sorted(present) != sorted(names):
            return [f"table '{self.table}' has the columns {present}, expected {names}"], 0
        quoted = ", ".join(f'"{name}"' for name in names)
        texts, agreed, missing = [], 0, dict(self.rows)
        for row in connection.execute(f'SELECT {quoted} FROM "{self.table}"'):
            try:
                cells = [normal(cell, kind) for cell, kind in zip(row, kinds)]
            except (ValueError, ArithmeticError) as error:
                texts.append(f"{self.table}: the row {row} cannot be read: {error}")
                continue
            key = tuple(cells[:len(self.keys)])
            expected = missing.pop(key, None)
            if expected is None:
                texts.append(f"{self.table}: a row too many {dict(zip(names, row))}")
                continue
            for name, kind, found, wanted in zip(self.columns, self.columns.values(), cells[len(key):], expected):
                if same(found, wanted, kind):
                    agreed += 1
                else:
                    texts.append(f"{self.table} {key}: {name} is {found}, expected {wanted}")
        texts += [f"{self.table}: the row {key} is missing, with {cells}" for key, cells in missing.items()]
        return texts, agreed


def judge(path, expectations):
    """Prints what was compared; True when all tables of the database agree."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    agree = True
    for expectation in expectations:
        texts, agreed = expectation.differences(connection)
        print(f"{path}: {expectation.table}: {len(expectation.rows)} rows expected, {agreed} cells agree, "
              f"{len(texts)} differences")
        for text in texts[:SHOWN]:
            print(f"  {text}")
        agree = agree and not texts
    connection.close()
    return agree


def main():
    import duckdb
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    connection = duckdb.connect()
    expectations = []
    with open(sys.argv[2]) as file:
        specs = json.load(file)
    for spec in specs:
        for statement in spec.get("setup", []):
            connection.execute(statement)
        keys = spec["keys"] if isinstance(spec["keys"], dict) else {name: "text" for name in spec["keys"]}
        rows = connection.execute(spec["sql"]).fetchall()
        expectations.append(Expectation(spec["table"], keys, spec["columns"], rows))
    sys.exit(0 if judge(sys.argv[1], expectations) else 1)


if __name__ == "__main__":
    main()
