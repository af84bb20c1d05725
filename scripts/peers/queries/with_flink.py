"""Flink SQL as a stream in its mini cluster: with_flink.py q1|q2|q3|q4|q5 INPUT.ndjson OUT_FOLDER"""
import sys

from pyflink.table import EnvironmentSettings, TableEnvironment

query, source, out = sys.argv[1:4]
START = "1000 * UNIX_TIMESTAMP(DATE_FORMAT(window_start, 'yyyy-MM-dd HH:mm:ss'))"
QUERIES = {
    "q1": ("device_type STRING, country STRING, events BIGINT, revenue DOUBLE, average DOUBLE, users BIGINT", f"""
        SELECT {START}, device_type, country, COUNT(*), SUM(total_amount), AVG(total_amount), COUNT(DISTINCT user_id)
        FROM TUMBLE(TABLE purchases, DESCRIPTOR(happened), INTERVAL '1' MINUTE)
        GROUP BY window_start, window_end, device_type, country"""),
    "q2": ("category STRING, events BIGINT, revenue DOUBLE, average DOUBLE", f"""
        SELECT {START}, category, COUNT(*), SUM(total_amount), AVG(total_amount)
        FROM HOP(TABLE purchases, DESCRIPTOR(happened), INTERVAL '30' SECOND, INTERVAL '5' MINUTE)
        GROUP BY window_start, window_end, category"""),
    "q3": ("event_id STRING, user_id STRING, category STRING, total_amount DOUBLE, per_item DOUBLE", """
        SELECT `timestamp`, event_id, user_id, category, total_amount, total_amount / quantity
        FROM purchases WHERE total_amount > 100"""),
    # Flink joins sessions that touch: a gap of a millisecond less parts events that are 30 s apart.
    "q4": ("user_id STRING, events BIGINT, revenue DOUBLE", """
        SELECT MIN(`timestamp`), user_id, COUNT(*), SUM(total_amount)
        FROM SESSION(TABLE purchases PARTITION BY user_id, DESCRIPTOR(happened), INTERVAL '29.999' SECOND)
        GROUP BY window_start, window_end, user_id"""),
    "q5": ("user_id STRING, events BIGINT, revenue DOUBLE", f"""
        SELECT {START}, user_id, COUNT(*), SUM(total_amount)
        FROM TUMBLE(TABLE purchases, DESCRIPTOR(happened), INTERVAL '1' MINUTE)
        GROUP BY window_start, window_end, user_id"""),
}
columns, statement = QUERIES[query]
tables = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
tables.get_config().set("parallelism.default", "2")
tables.get_config().set("table.local-time-zone", "UTC")
tables.execute_sql(f"""CREATE TABLE purchases (
    event_id STRING, `timestamp` BIGINT, user_id STRING, device_type STRING, country STRING, category STRING,
    quantity INT, unit_price DOUBLE, total_amount DOUBLE, happened AS TO_TIMESTAMP_LTZ(`timestamp`, 3),
    WATERMARK FOR happened AS happened - INTERVAL '5' SECOND
) WITH ('connector'='filesystem', 'path'='file://{source}', 'format'='json')""")
tables.execute_sql(f"""CREATE TABLE answer ({'`timestamp`' if query == 'q3' else 'window_start'} BIGINT, {columns})
    WITH ('connector'='filesystem', 'path'='file://{out}', 'format'='json')""")
tables.execute_sql(f"INSERT INTO answer {statement}").wait()
