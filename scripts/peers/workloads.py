"""What is computed: the columns of each answer, its reference in SQL, and which peers take part with which input."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Workload:
    """`query` names the domain of the project and the query of the peers; `form` the input; `tables` where streamplat writes."""
    name: str
    query: str
    title: str
    form: str
    peers: tuple
    tables: tuple = ("sqlite",)


BATCH = ("duckdb", "polars", "chdb")
# DuckDB into a table of its own with streamplat's key, where there are many rows.
INTO_TABLES = ("duckdb-table",)
STREAMS = ("bytewax", "pathway", "flink", "spark")
# Streams whose packages read no Avro, and nobody reads our log: they get the same events as NDJSON.
WITHOUT_AVRO = ("flink", "spark")

WORKLOADS = (
    Workload("q1", "q1", "Tumbling 1 minute by device and country: count, sum, average, exact distinct users; NDJSON", "ndjson",
             BATCH + STREAMS),
    Workload("q1-avro", "q1", "The same from an Avro container", "avro", ("polars", "chdb") + WITHOUT_AVRO),
    Workload("q1-log", "q1", "The same from the embedded log, into which they came by `ingest`", "log", WITHOUT_AVRO),
    Workload("q1-shuffled", "q1", "The same from NDJSON with shuffled keys and escaped strings", "shuffled",
             BATCH + ("bytewax",)),
    Workload("q2", "q2", "Sliding 5 minutes every 30 seconds by category: count, sum, average; NDJSON", "ndjson",
             BATCH + STREAMS),
    Workload("q3", "q3", "Purchases above 100 with the price of an item, six columns of ten: a row an event; NDJSON", "ndjson",
             BATCH + STREAMS, ("files",)),
    Workload("q4", "q4", "Sessions of each user, 30 seconds gap: count, sum; NDJSON", "ndjson",
             BATCH + INTO_TABLES + STREAMS, ("sqlite", "files")),
    Workload("q5", "q5", "Tumbling 1 minute by user: count, sum; NDJSON", "ndjson", BATCH + INTO_TABLES + STREAMS,
             ("sqlite", "files")),
)

# The column of time; beside it the others that name a row.
TIMES = {"q3": "timestamp"}
KEYS = {"q1": ("device_type", "country"), "q2": ("category",), "q3": ("event_id", "user_id", "category"), "q4": ("user_id",), "q5": ("user_id",)}
# Whole numbers must be equal, doubles equal to TOLERANCE of their size.
WHOLE = {"q1": ("events", "users"), "q2": ("events",), "q3": (), "q4": ("events",), "q5": ("events",)}
DOUBLES = {"q1": ("revenue", "average"), "q2": ("revenue", "average"), "q3": ("total_amount", "per_item"),
           "q4": ("revenue",), "q5": ("revenue",)}
TOLERANCE = 1e-12

# Windows written out in full, sums by Kahan: nothing that a peer does to be fast.
REFERENCES = {
    "q1": """
        SELECT timestamp - timestamp % 60000 AS window_start, device_type, country, count(*) AS events,
               fsum(total_amount) AS revenue, fsum(total_amount) / count(*) AS average, count(DISTINCT user_id) AS users
        FROM events GROUP BY ALL""",
    "q2": """
        SELECT timestamp - timestamp % 30000 - 30000 * step AS window_start, category, count(*) AS events,
               fsum(total_amount) AS revenue, fsum(total_amount) / count(*) AS average
        FROM events, range(10) AS back(step) GROUP BY timestamp - timestamp % 30000 - 30000 * step, category""",
    "q3": """
        SELECT timestamp, event_id, user_id, category, total_amount, total_amount / quantity AS per_item
        FROM events WHERE total_amount > 100""",
    "q4": """
        WITH begun AS (SELECT user_id, timestamp, total_amount,
                              CASE WHEN timestamp - lag(timestamp) OVER w < 30000 THEN 0 ELSE 1 END AS begins
                       FROM events WINDOW w AS (PARTITION BY user_id ORDER BY timestamp)),
             numbered AS (SELECT *, sum(begins) OVER (PARTITION BY user_id ORDER BY timestamp) AS session FROM begun)
        SELECT min(timestamp) AS window_start, user_id, count(*) AS events, fsum(total_amount) AS revenue
        FROM numbered GROUP BY user_id, session""",
    "q5": """
        SELECT timestamp - timestamp % 60000 AS window_start, user_id, count(*) AS events, fsum(total_amount) AS revenue
        FROM events GROUP BY ALL""",
}
