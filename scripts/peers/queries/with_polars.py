"""Polars, batch (lazy, streaming engine): with_polars.py q1|q2|q3|q4|q5 INPUT(.ndjson|.avro) OUT.ndjson"""
import os
import sys

os.environ["POLARS_MAX_THREADS"] = "2"
import polars as pl  # noqa: E402 (reads the variable when it is imported)

query, source, out = sys.argv[1:4]
SCHEMA = {"event_id": pl.String, "timestamp": pl.Int64, "user_id": pl.String, "device_type": pl.String,
          "country": pl.String, "category": pl.String, "quantity": pl.Int32, "unit_price": pl.Float64,
          "total_amount": pl.Float64}
events = pl.read_avro(source).lazy() if source.endswith(".avro") else pl.scan_ndjson(source, schema=SCHEMA)
time, amount = pl.col("timestamp"), pl.col("total_amount")
if query == "q1":
    answer = events.group_by((time - time % 60000).alias("window_start"), "device_type", "country").agg(
        events=pl.len(), revenue=amount.sum(), average=amount.mean(), users=pl.col("user_id").n_unique())
elif query == "q2":
    panes = events.group_by((time - time % 30000).alias("pane"), "category").agg(
        events=pl.len().cast(pl.Int64), revenue=amount.sum())
    answer = panes.join(pl.LazyFrame({"step": list(range(10))}), how="cross").group_by(
        (pl.col("pane") - 30000 * pl.col("step")).alias("window_start"), "category").agg(
        pl.col("events").sum(), pl.col("revenue").sum()).with_columns(average=pl.col("revenue") / pl.col("events"))
elif query == "q3":
    answer = events.filter(amount > 100).select(
        "timestamp", "event_id", "user_id", "category", "total_amount", per_item=amount / pl.col("quantity"))
elif query == "q4":
    begins = (time.diff() >= 30000) | (pl.col("user_id") != pl.col("user_id").shift())
    answer = events.select("user_id", "timestamp", "total_amount").sort("user_id", "timestamp").with_columns(
        session=begins.fill_null(True).cum_sum()).group_by("user_id", "session").agg(
        window_start=time.min(), events=pl.len(), revenue=amount.sum()).drop("session")
else:
    answer = events.group_by((time - time % 60000).alias("window_start"), "user_id").agg(
        events=pl.len(), revenue=amount.sum())
answer.collect(engine="streaming").write_ndjson(out)
