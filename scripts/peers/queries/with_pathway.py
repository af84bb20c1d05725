"""Pathway: PATHWAY_THREADS=2 with_pathway.py q1|q2|q3|q4|q5 INPUT.ndjson OUT.ndjson"""
import sys

import pathway as pw

query, source, out = sys.argv[1:4]


class Purchase(pw.Schema):
    event_id: str
    timestamp: int
    user_id: str
    device_type: str
    country: str
    category: str
    quantity: int
    unit_price: float
    total_amount: float


WINDOWS = {
    "q1": (pw.temporal.tumbling(duration=60000), ["device_type", "country"]),
    "q2": (pw.temporal.sliding(hop=30000, duration=300000), ["category"]),
    "q4": (pw.temporal.session(max_gap=30000), ["user_id"]),
    "q5": (pw.temporal.tumbling(duration=60000), ["user_id"]),
}
MEASURES = {"events": pw.reducers.count(), "revenue": pw.reducers.sum(pw.this.total_amount)}
if query in ("q1", "q2"):
    MEASURES["average"] = pw.reducers.avg(pw.this.total_amount)
if query == "q1":
    MEASURES["users"] = pw.reducers.count_distinct(pw.this.user_id)
events = pw.io.jsonlines.read(source, schema=Purchase, mode="static")
if query == "q3":
    answer = events.filter(pw.this.total_amount > 100).select(
        timestamp=pw.this.timestamp, event_id=pw.this.event_id, user_id=pw.this.user_id, category=pw.this.category,
        total_amount=pw.this.total_amount, per_item=pw.this.total_amount / pw.this.quantity)
else:
    window, keys = WINDOWS[query]
    answer = events.windowby(pw.this.timestamp, window=window, instance=pw.make_tuple(*(pw.this[key] for key in keys))).reduce(
        window_start=pw.this._pw_window_start, **{key: pw.this._pw_instance[place] for place, key in enumerate(keys)}, **MEASURES)
pw.io.jsonlines.write(answer, out)
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
