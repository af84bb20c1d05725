"""The judge: every row of every aggregation of a domain against DuckDB computing the same from the same input.

    judge.py generated   --domain FILE --events E.ndjson [--events …] [--type T] --db results.db [--db …]
    judge.py cdnow       --domain FILE --db results.db [--file CDNOW_master.txt]
    judge.py clickstream --domain FILE --db results.db [--file ecom.csv.gz]
    judge.py locate cdnow|clickstream          prints where the real data set is
    judge.py modules                           fails, and says which, when a Python module is missing

Counts, integers, decimals and money are compared exactly, doubles to 1e-12 relative. Sums of doubles are summed without
rounding (math.fsum). Exit 0: all agree; 1: something differs; 2: wrong use.
"""
import argparse
import importlib.util
import math
import os
import sys
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

DATA_SETS = {"cdnow": ("lifetimes", "datasets/CDNOW_master.txt"), "clickstream": ("retentioneering", "datasets/ecom.csv.gz")}
MODULES = ["duckdb", "fastavro", "yaml"] + [module for module, _ in DATA_SETS.values()]

# What the issue asks of the two real data sets: windows (duration, slide) in ms with the functions that each must have.
DAY = 86_400_000
ALL_FUNCTIONS = {"count", "sum", "avg", "min", "max", "count_distinct"}
REQUIRED = {
    "cdnow": {(DAY, DAY): ALL_FUNCTIONS, (7 * DAY, 7 * DAY): ALL_FUNCTIONS, (30 * DAY, DAY): ALL_FUNCTIONS},
    "clickstream": {(300_000, 300_000): {"count", "count_distinct"}, "sliding": {"count", "count_distinct"}},
}


def locate(name):
    """The data file inside the installed package, found without importing it (its imports are not installed)."""
    module, path = DATA_SETS[name]
    spec = importlib.util.find_spec(module)
    file = os.path.join(spec.submodule_search_locations[0], path) if spec else None
    if not file or not os.path.exists(file):
        sys.exit(f"the Python package '{module}' with {path} is not installed")
    return file


def load_cdnow(connection, file):
    """A header, then columns aligned with blanks: customer, date, quantity, amount. Amounts are read as text, never as doubles."""
    with open(file, encoding="ascii") as lines:
        next(lines)
        rows = [line.split() for line in lines if line.strip()]
    connection.execute("CREATE TABLE raw (customer VARCHAR, day VARCHAR, quantity VARCHAR, amount VARCHAR)")
    text = "\n".join("\t".join(row) for row in rows)
    temporary = f"{os.environ.get('TMPDIR', '/tmp')}/judge-cdnow-{os.getpid()}.tsv"
    with open(temporary, "w", encoding="ascii") as out:
        out.write(text)
    try:
        connection.execute(f"COPY raw FROM '{temporary}' (DELIMITER '\t', HEADER false)")
    finally:
        os.unlink(temporary)
    connection.execute(
        "CREATE TABLE events AS SELECT 'purchase' AS event_type, customer AS customer_id, "
        "strptime(day, '%Y%m%d') AS \"timestamp\", epoch_ms(strptime(day, '%Y%m%d')) AS __ms, "
        "CAST(quantity AS INTEGER) AS quantity, CAST(CAST(amount AS DECIMAL(12, 2)) * 100 AS BIGINT) AS amount_cents FROM raw")


def load_clickstream(connection, file):
    connection.execute(
        f"CREATE TABLE events AS SELECT 'click' AS event_type, * REPLACE (CAST(\"timestamp\" AS TIMESTAMP) AS \"timestamp\"), "
        f"epoch_ms(CAST(\"timestamp\" AS TIMESTAMP)) AS __ms FROM read_csv('{file}', all_varchar = true, header = true)")


def average(total, count, scale):
    """An exact quotient, rounded half to even to `scale` digits."""
    quotient = Fraction(total) / count * 10 ** scale
    return Decimal(round(quotient)).scaleb(-scale, Context(prec=60, rounding=ROUND_HALF_EVEN))


def result(measure, cells):
    """A measure's value from what DuckDB gave for its expressions."""
    first = cells[0]
    if measure.function not in ("sum", "avg"):
        return first
    if measure.kind == "double":
        values = [value for value in first or [] if value is not None]
        if not values:
            return None
        total = math.fsum(values)
        return total if measure.function == "sum" else total / len(values)
    if first is None:
        return None
    if measure.function == "sum":
        return first
    if measure.kind in ("money", "decimal"):
        return average(first, cells[1], 6)
    return float(Fraction(int(first), cells[1]))


def expectations(domain, connection):
    from compare import Expectation
    made = []
    for aggregation in domain.aggregations:
        keys = {"window_start": "timestamp", "window_end": "timestamp"}
        keys.update({name: kind for name, _, kind in aggregation.groups})
        columns = {measure.column: measure.comparison for measure in aggregation.measures}
        rows = []
        for row in connection.execute(aggregation.query()).fetchall():
            cells, place = list(row[:len(keys)]), len(keys)
            for measure in aggregation.measures:
                width = len(measure.sql())
                cells.append(result(measure, row[place:place + width]))
                place += width
            rows.append(cells)
        made.append(Expectation(aggregation.name, keys, columns, rows))
    return made


def check_required(name, domain):
    """The domain file must ask what the judge promises to compare."""
    for wanted, functions in REQUIRED[name].items():
        for aggregation in domain.aggregations:
            window = (aggregation.duration, aggregation.slide)
            fits = window[0] != window[1] if wanted == "sliding" else window == wanted
            if fits and aggregation.origin == 0 and functions <= {measure.function for measure in aggregation.measures}:
                break
        else:
            sys.exit(f"{domain.name}: no aggregation over the window {wanted} with {sorted(functions)}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("what", choices=["generated", "cdnow", "clickstream", "locate", "modules"])
    arguments.add_argument("name", nargs="?")
    arguments.add_argument("--domain")
    arguments.add_argument("--events", action="append", default=[])
    arguments.add_argument("--type")
    arguments.add_argument("--db", action="append", default=[])
    arguments.add_argument("--file")
    arguments.add_argument("--least-rows", type=int, default=1, help="every table must have at least so many rows")
    arguments.add_argument("--least-disorder", type=int, default=0, help="so many events must be earlier than one before them")
    options = arguments.parse_args()
    if options.what == "modules":
        missing = [module for module in MODULES if importlib.util.find_spec(module) is None]
        if missing:
            sys.exit(f"Python modules are missing: {', '.join(missing)}")
        return
    if options.what == "locate":
        if options.name not in DATA_SETS:
            arguments.error("locate takes cdnow or clickstream")
        print(locate(options.name))
        return
    if not options.domain or not options.db:
        arguments.error("--domain and --db are needed")

    import duckdb
    from compare import judge
    from domain_oracle import Domain
    domain, connection = Domain(options.domain), duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    if options.what == "generated":
        if not options.events:
            arguments.error("--events is needed")
        domain.load(connection, options.events, options.type)
    else:
        check_required(options.what, domain)
        load = {"cdnow": load_cdnow, "clickstream": load_clickstream}[options.what]
        load(connection, options.file or locate(options.what))
    events = connection.execute("SELECT count(*), min(\"timestamp\"), max(\"timestamp\") FROM events").fetchone()
    print(f"{domain.name}: {events[0]} events from {events[1]} to {events[2]}")
    early = connection.execute(
        "SELECT count(*) FROM (SELECT __ms < max(__ms) OVER (ORDER BY rowid) AS early FROM events) WHERE early").fetchone()[0]
    print(f"{early} of them are earlier than one before them")
    if early < options.least_disorder:
        sys.exit(f"at least {options.least_disorder} should be")
    tables = expectations(domain, connection)
    thin = [table.table for table in tables if len(table.rows) < options.least_rows]
    if thin:
        sys.exit(f"too few rows to judge anything: {', '.join(thin)}")
    agree = [judge(path, tables) for path in options.db]
    sys.exit(0 if all(agree) else 1)


if __name__ == "__main__":
    main()
