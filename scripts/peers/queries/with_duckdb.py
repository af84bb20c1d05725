"""DuckDB, batch: with_duckdb.py q1|q2|q3|q4|q5 INPUT.ndjson OUT

OUT: an NDJSON file, or a database (.duckdb) with a table `answer` with a primary key.
"""
import sys

import duckdb

query, source, out = sys.argv[1:4]
columns = ("{event_id:'VARCHAR',timestamp:'BIGINT',user_id:'VARCHAR',device_type:'VARCHAR',country:'VARCHAR',"
           "category:'VARCHAR',quantity:'INTEGER',unit_price:'DOUBLE',total_amount:'DOUBLE'}")
events = f"read_json('{source}', format='newline_delimited', columns={columns})"
QUERIES = {
    "q1": f"""
        SELECT timestamp - timestamp % 60000 AS window_start, device_type, country, count(*) AS events,
               sum(total_amount) AS revenue, avg(total_amount) AS average, count(DISTINCT user_id) AS users
        FROM {events} GROUP BY ALL""",
    # Panes of the slide first, then ten panes a window.
    "q2": f"""
        WITH panes AS (SELECT timestamp - timestamp % 30000 AS pane, category, count(*) AS events, sum(total_amount) AS revenue
                       FROM {events} GROUP BY ALL)
        SELECT pane - 30000 * back.step AS window_start, category, sum(events)::BIGINT AS events, sum(revenue) AS revenue,
               sum(revenue) / sum(events) AS average
        FROM panes, range(10) AS back(step) GROUP BY pane - 30000 * back.step, category""",
    "q3": f"""
        SELECT timestamp, event_id, user_id, category, total_amount, total_amount / quantity AS per_item
        FROM {events} WHERE total_amount > 100""",
    # Equal times have one running number, whatever their order: the frame of `sum` is a range.
    "q4": f"""
        WITH begun AS (SELECT user_id, timestamp, total_amount,
                              CASE WHEN timestamp - lag(timestamp) OVER w < 30000 THEN 0 ELSE 1 END AS begins
                       FROM {events} WINDOW w AS (PARTITION BY user_id ORDER BY timestamp)),
             numbered AS (SELECT *, sum(begins) OVER (PARTITION BY user_id ORDER BY timestamp) AS session FROM begun)
        SELECT min(timestamp) AS window_start, user_id, count(*) AS events, sum(total_amount) AS revenue
        FROM numbered GROUP BY user_id, session""",
    "q5": f"""
        SELECT timestamp - timestamp % 60000 AS window_start, user_id, count(*) AS events, sum(total_amount) AS revenue
        FROM {events} GROUP BY ALL""",
}
KEYS = {"q1": "window_start, device_type, country", "q2": "window_start, category", "q3": "event_id",
        "q4": "user_id, window_start", "q5": "window_start, user_id"}
is_table = out.endswith(".duckdb")
database = duckdb.connect(out if is_table else ":memory:")
database.execute("SET threads=2; SET preserve_insertion_order=false")
if is_table:
    types = database.execute(f"DESCRIBE {QUERIES[query]}").fetchall()
    columns = ", ".join(f"{name} {kind}" for name, kind, *_ in types)
    database.execute(f"CREATE TABLE answer ({columns}, PRIMARY KEY ({KEYS[query]}))")
    database.execute(f"INSERT OR REPLACE INTO answer {QUERIES[query]}")
    database.close()
else:
    database.execute(f"COPY ({QUERIES[query]}) TO '{out}' (FORMAT json)")
