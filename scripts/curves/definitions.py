"""The curves: over which numbers, and the project that is measured at each of them."""
import dataclasses
import os
import typing

EVENTS = 1_000_000
# 2024-01-01, where the purchases begin.
START = 1_704_067_200_000


@dataclasses.dataclass(frozen=True)
class Curve:
    """`prepare(bench, number)` makes the project and returns (more arguments of `run`, a table, the sum of its `events`)."""
    title: str
    unit: str
    numbers: tuple
    prepare: typing.Callable
    step_unit: str
    step_factor: float


def domain(aggregations, fields="device_type, country, category", more=""):
    return f"""
domain: curve
entity: {{ primary_key: user_id }}
event_types:
  - name: purchase
    dimensions: [{fields}]
    topic: curve.purchase
    fields:
      - {{ name: total_amount, type: double }}
{more}
aggregations:
{aggregations}"""


def aggregation(name, window, groups, more=""):
    return f"""  - name: {name}
    from: [purchase]
    window: {window}
    group_by: [{groups}]
    emit: final
    measures:
      - {{ name: events, type: count }}
      - {{ name: revenue, type: sum, field: total_amount }}
{more}"""


MINUTES = "{ type: tumbling, duration: 1 minute }"
USERS = "      - { name: users, type: count_distinct, field: user_id }\n"
PER_MINUTE = aggregation("answer", MINUTES, "device_type, country", USERS)


def events(bench, number):
    path = bench.purchases(number)
    bench.prepare(domain(PER_MINUTE))
    return ["--input", f"purchase={path}"], "answer", number


def keys_file(bench, groups):
    """A million events, or one a group; neighbours have nothing in common, every key comes equally often."""
    path = os.path.join(bench.folder, "data", f"keys-{groups}.ndjson")
    if not os.path.exists(path):
        with open(f"{path}.part", "w", buffering=1 << 20) as file:
            for number in range(max(EVENTS, groups)):
                key = number % groups * 0x9E3779B97F4A7C15 % 2 ** 64
                file.write(f'{{"event_id":"{number}","timestamp":{START + number * 7},"user_id":"u","key":"{key:016x}",'
                           f'"total_amount":{number % 1000}.5}}\n')
        os.replace(f"{path}.part", path)
    return path


def groups(bench, number):
    path = keys_file(bench, number)
    bench.prepare(domain(aggregation("answer", "{ type: tumbling, duration: 1 day }", "key"), "key"))
    return ["--input", f"purchase={path}"], "answer", max(EVENTS, number)


def groups_into_files(bench, number):
    path = keys_file(bench, number)
    bench.prepare(domain(aggregation("answer", "{ type: tumbling, duration: 1 day }", "key"), "key"), ["-e", "files"])
    return ["--input", f"purchase={path}", "-e", "files"], "answer", max(EVENTS, number)


def windows(bench, number):
    path = bench.purchases(EVENTS)
    bench.prepare(domain(aggregation("answer", f"{{ type: sliding, duration: 300 s, slide: {300 // number} s }}", "category")))
    return ["--input", f"purchase={path}"], "answer", EVENTS * number


def aggregations(bench, number):
    path = bench.purchases(EVENTS)
    bench.prepare(domain("".join(aggregation(f"answer_{index}", MINUTES, "category") for index in range(number))))
    return ["--input", f"purchase={path}"], f"answer_{number - 1}", EVENTS


def partitions(bench, number):
    path = bench.purchases(EVENTS)
    settings = ["--set", f"kafka.topics.partitions={number}"]
    bench.prepare(domain(PER_MINUTE), settings)
    bench.ingest(path, settings)
    return settings, "answer", EVENTS


CURVES = {
    "events": Curve("Events of two hours from an NDJSON file, per minute, device and country with distinct users.", "events",
                    (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000, 100_000_000), events, "ns", 1e9),
    "groups": Curve("Groups of a million events in one window (the last: of ten million), into SQLite.", "groups",
                    (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000), groups, "µs", 1e6),
    "groups-files": Curve("The same groups into an NDJSON file.", "groups",
                          (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000), groups_into_files, "µs", 1e6),
    "windows": Curve("Windows that each of a million events is in (sliding, five minutes), by category.", "windows an event",
                     (1, 2, 5, 10, 20, 50, 100, 300), windows, "ms", 1e3),
    "aggregations": Curve("Aggregations over the same million events, each with a table of its own.", "aggregations",
                          (1, 2, 5, 10, 20, 50, 100), aggregations, "ms", 1e3),
    "partitions": Curve("Partitions of the embedded log that a million events are read from.", "partitions",
                        (1, 2, 4, 8, 16, 32, 48), partitions, "ms", 1e3),
}
