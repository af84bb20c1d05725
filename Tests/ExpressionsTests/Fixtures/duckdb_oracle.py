"""Evaluates expressions over a table in DuckDB.

Reads JSON {"ddl": ..., "rows": [...], "expressions": [...]} from standard input and writes one list of texts (null for
a null) for each expression, or {"error": ...}.
"""
import datetime
import decimal
import json
import sys

import duckdb


def text(value):
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        return str(round((value - datetime.datetime(1970, 1, 1)).total_seconds() * 1000))
    return str(value)


task = json.load(sys.stdin)
connection = duckdb.connect()
# A divisor of zero gives null: DuckDB's rule up to 1.x, a setting since.
for setting in ("error_on_division_by_zero=false", "ieee_floating_point_ops=false"):
    try:
        connection.execute("set " + setting)
    except duckdb.Error:
        pass
connection.execute(task["ddl"])
for row in task["rows"]:
    connection.execute("insert into t values (" + row + ")")
answers = []
for expression in task["expressions"]:
    try:
        rows = connection.execute(f"select ({expression}) from t order by id").fetchall()
        answers.append([text(row[0]) for row in rows])
    except duckdb.Error as error:
        answers.append({"error": str(error).splitlines()[0]})
json.dump(answers, sys.stdout)
