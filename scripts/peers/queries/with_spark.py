"""Spark Structured Streaming (append, AvailableNow, one micro-batch): with_spark.py q1|q2|q3|q4|q5 INPUT.ndjson OUT_FOLDER

A stream keeps its last windows back until a later event has come: flush.ndjson, beside the input, is read with it.
"""
import os
import sys

from pyspark.sql import SparkSession, functions as F

query, source, out = sys.argv[1:4]
folder = out + ".source"
os.makedirs(folder)
for number, file in enumerate([source, os.path.join(os.path.dirname(source), "flush.ndjson")]):
    os.link(file, os.path.join(folder, f"{number}.json"))
# Two shuffle partitions, as there are two cores: its own 200 are many times slower here.
spark = (SparkSession.builder.master("local[2]").appName("peer").config("spark.sql.shuffle.partitions", "2")
         .config("spark.ui.enabled", "false").config("spark.driver.memory", "4g")
         .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
         .config("spark.sql.session.timeZone", "UTC").getOrCreate())
spark.sparkContext.setLogLevel("ERROR")
schema = ("event_id STRING, timestamp BIGINT, user_id STRING, device_type STRING, country STRING, category STRING, "
          "quantity INT, unit_price DOUBLE, total_amount DOUBLE")
events = (spark.readStream.schema(schema).json(folder).withColumn("at", F.timestamp_millis("timestamp"))
          .withWatermark("at", "5 seconds"))
start = F.unix_millis(F.col("window.start")).alias("window_start")
counted, revenue, average = F.count("*").alias("events"), F.sum("total_amount").alias("revenue"), F.avg("total_amount").alias("average")
if query == "q1":
    # A stream refuses countDistinct: a set is the exact way round.
    answer = events.groupBy(F.window("at", "1 minute"), "device_type", "country").agg(
        counted, revenue, average, F.size(F.collect_set("user_id")).alias("users")).select(
        start, "device_type", "country", "events", "revenue", "average", "users")
elif query == "q2":
    answer = events.groupBy(F.window("at", "5 minutes", "30 seconds"), "category").agg(counted, revenue, average).select(
        start, "category", "events", "revenue", "average")
elif query == "q3":
    answer = events.where("total_amount > 100").select(
        "timestamp", "event_id", "user_id", "category", "total_amount", (F.col("total_amount") / F.col("quantity")).alias("per_item"))
elif query == "q4":
    # Spark joins sessions that touch: a gap of a millisecond less parts events that are 30 s apart.
    answer = events.groupBy(F.session_window("at", "29999 milliseconds"), "user_id").agg(counted, revenue).select(
        F.unix_millis(F.col("session_window.start")).alias("window_start"), "user_id", "events", "revenue")
else:
    answer = events.groupBy(F.window("at", "1 minute"), "user_id").agg(counted, revenue).select(
        start, "user_id", "events", "revenue")
(answer.writeStream.outputMode("append").format("json").option("path", out)
 .option("checkpointLocation", out + ".checkpoint").trigger(availableNow=True).start().awaitTermination())
spark.stop()
