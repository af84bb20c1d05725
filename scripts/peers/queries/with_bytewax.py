"""Bytewax, stream, one worker: QUERY=q1|q2|q3|q4|q5 SOURCE=INPUT.ndjson OUT=OUT.ndjson python -m bytewax.run with_bytewax:flow"""
import os
from datetime import datetime, timedelta, timezone

import bytewax.operators as op
import bytewax.operators.windowing as windows
import orjson
from bytewax.connectors.files import FileSink, FileSource
from bytewax.dataflow import Dataflow

ALIGNED = datetime(2024, 1, 1, tzinfo=timezone.utc)
ALIGNED_MS = int(ALIGNED.timestamp() * 1000)
# One that two events just under a gap apart still belong to: Bytewax takes a gap as the longest pause inside a session.
LONGEST_PAUSE = timedelta(seconds=30) - timedelta(milliseconds=1)


def by_device_and_country(event):
    return event["device_type"] + "|" + event["country"]


def add_distinct(state, event):
    state[0] += 1
    state[1] += event["total_amount"]
    state[2].add(event["user_id"])
    return state


def add(state, event):
    state[0] += 1
    state[1] += event["total_amount"]
    return state


def add_from(state, event):
    state[0] += 1
    state[1] += event["total_amount"]
    state[2] = min(state[2], event["timestamp"])
    return state


def line_1(item):
    key, (window, (events, revenue, users)) = item
    device, country = key.split("|")
    return key, orjson.dumps({"window_start": ALIGNED_MS + window * 60000, "device_type": device, "country": country,
                              "events": events, "revenue": revenue, "average": revenue / events, "users": len(users)}).decode()


def line_2(item):
    key, (window, (events, revenue)) = item
    return key, orjson.dumps({"window_start": ALIGNED_MS + window * 30000, "category": key, "events": events,
                              "revenue": revenue, "average": revenue / events}).decode()


def line_4(item):
    key, (_, (events, revenue, start)) = item
    return key, orjson.dumps({"window_start": start, "user_id": key, "events": events, "revenue": revenue}).decode()


def line_5(item):
    key, (window, (events, revenue)) = item
    return key, orjson.dumps({"window_start": ALIGNED_MS + window * 60000, "user_id": key, "events": events,
                              "revenue": revenue}).decode()


MINUTES = windows.TumblingWindower(timedelta(minutes=1), ALIGNED)
QUERIES = {
    "q1": (by_device_and_country, MINUTES, lambda: [0, 0.0, set()], add_distinct,
           lambda one, other: [one[0] + other[0], one[1] + other[1], one[2] | other[2]], line_1),
    "q2": (lambda event: event["category"], windows.SlidingWindower(timedelta(minutes=5), timedelta(seconds=30), ALIGNED),
           lambda: [0, 0.0], add, lambda one, other: [one[0] + other[0], one[1] + other[1]], line_2),
    "q4": (lambda event: event["user_id"], windows.SessionWindower(LONGEST_PAUSE), lambda: [0, 0.0, 1 << 62], add_from,
           lambda one, other: [one[0] + other[0], one[1] + other[1], min(one[2], other[2])], line_4),
    "q5": (lambda event: event["user_id"], MINUTES, lambda: [0, 0.0], add,
           lambda one, other: [one[0] + other[0], one[1] + other[1]], line_5),
}


def line_3(event):
    return event["event_id"], orjson.dumps({
        **{name: event[name] for name in ("timestamp", "event_id", "user_id", "category", "total_amount")},
        "per_item": event["total_amount"] / event["quantity"]}).decode()


flow = Dataflow("peer")
events = op.map("parse", op.input("in", flow, FileSource(os.environ["SOURCE"], batch_size=1000)), orjson.loads)
if os.environ["QUERY"] == "q3":
    lines = op.map("line", op.filter("large", events, lambda event: event["total_amount"] > 100), line_3)
else:
    key, windower, start, fold, merge, line = QUERIES[os.environ["QUERY"]]
    clock = windows.EventClock(ts_getter=lambda event: datetime.fromtimestamp(event["timestamp"] / 1000, timezone.utc),
                               wait_for_system_duration=timedelta(seconds=5))
    answer = windows.fold_window("fold", op.key_on("key", events, key), clock, windower, start, fold, merge)
    lines = op.map("line", answer.down, line)
op.output("out", lines, FileSink(os.environ["OUT"]))
