"""chDB (ClickHouse in the process), batch: with_chdb.py q1|q2|q3|q4|q5 INPUT(.ndjson|.avro) OUT.ndjson"""
import sys

import chdb

query, source, out = sys.argv[1:4]
form = "Avro" if source.endswith(".avro") else "JSONEachRow"
columns = ("event_id String, timestamp Int64, user_id String, device_type String, country String, category String, "
           "quantity Int32, unit_price Float64, total_amount Float64")
events = f"file('{source}', {form}, '{columns}')"
QUERIES = {
    "q1": f"""
        SELECT timestamp - timestamp % 60000 AS window_start, device_type, country, count() AS events,
               sum(total_amount) AS revenue, avg(total_amount) AS average, uniqExact(user_id) AS users
        FROM {events} GROUP BY window_start, device_type, country""",
    "q2": f"""
        SELECT pane - 30000 * step AS window_start, category, sum(number) AS events, sum(amount) AS revenue,
               revenue / events AS average
        FROM (SELECT timestamp - timestamp % 30000 AS pane, category, count() AS number, sum(total_amount) AS amount
              FROM {events} GROUP BY pane, category) ARRAY JOIN range(10) AS step
        GROUP BY window_start, category""",
    "q3": f"""
        SELECT timestamp, event_id, user_id, category, total_amount, total_amount / quantity AS per_item
        FROM {events} WHERE total_amount > 100""",
    "q4": f"""
        SELECT min(timestamp) AS window_start, user_id, count() AS events, sum(total_amount) AS revenue
        FROM (SELECT *, sum(begins) OVER (PARTITION BY user_id ORDER BY timestamp) AS session
              FROM (SELECT user_id, timestamp, total_amount,
                           timestamp - lagInFrame(timestamp, 1, timestamp - 30000) OVER (
                               PARTITION BY user_id ORDER BY timestamp
                               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) >= 30000 AS begins
                    FROM {events}))
        GROUP BY user_id, session""",
    "q5": f"""
        SELECT timestamp - timestamp % 60000 AS window_start, user_id, count() AS events, sum(total_amount) AS revenue
        FROM {events} GROUP BY window_start, user_id""",
}
# INTO OUTFILE belongs to the client; in the process the table function writes.
chdb.query(f"INSERT INTO FUNCTION file('{out}', JSONEachRow) {QUERIES[query]} "
           "SETTINGS max_threads=2, output_format_json_quote_64bit_integers=0")
