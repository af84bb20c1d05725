"""Synthetic events: into the embedded log, encoding alone, and into NDJSON beside numpy and Polars."""
import json
import os

from latency import LogTail
from setting import HERE, Project, cpu, median, pairs, ratio, same, seconds

TITLE = "Generating purchases"
SPAN = ["--seed", "42", "--start", "2024-01-01T00:00:00Z", "--span", "2h"]


def lines(path):
    with open(path, "rb") as file:
        return sum(part.count(b"\n") for part in iter(lambda: file.read(1 << 20), b""))


def measured(setting):
    events = setting.events
    project = Project(setting, "generate", "bench", "bench")
    peer = os.path.join(setting.folder, "generator", "bin", "python")
    ours, theirs = (os.path.join(setting.folder, name) for name in ("generated.ndjson", "generated-by-polars.ndjson"))

    def into_log():
        project.fresh()
        result = project.run("generate", "--events", str(events), *SPAN)
        topic = os.path.join(project.folder, ".streamplat", "log", "topics", "events.purchase")
        same("events in the log", LogTail(topic).look(), events)
        return result

    def made():
        return project.run("generate", "--events", str(events), *SPAN, "--dry-run")

    def into_file():
        result = project.run("generate", "--events", str(events), *SPAN, "--out", ours)
        same(f"lines of {ours}", lines(ours), events)
        return result

    def by_polars():
        result = setting.run(peer, os.path.join(HERE, "with_polars.py"), str(events), theirs)
        same(f"lines of {theirs}", lines(theirs), events)
        return result

    log = pairs(setting.rounds, into_log, made)
    files = pairs(setting.rounds, by_polars, into_file)
    setting.run(setting.avro_bench)
    codec = json.loads(setting.output())
    for path in (ours, theirs):
        os.remove(path)

    def line(what, runs):
        wall, processor = median(runs, seconds), median(runs, cpu)
        return f"| {what} | {wall:.2f} | {processor:.2f} | {events / wall / 1e6:.2f} | {events / processor / 1e6:.2f} |"

    return [
        f"{events:,} purchases of the project `scripts/bench`, whole processes.", "",
        "| what | s | CPU, s | M events/s | M events/s of CPU |", "| --- | ---: | ---: | ---: | ---: |",
        line("into the embedded log, as Avro", [first for first, _ in log]),
        line("made only (`--dry-run`)", [second for _, second in log]),
        line("into an NDJSON file", [second for _, second in files]),
        line("numpy and Polars into an NDJSON file", [first for first, _ in files]),
        f"| encoding alone (`avro-bench`) | | | | {1e3 / codec['encode_all']:.2f} |", "",
        f"Into NDJSON streamplat is {ratio(files, seconds)} times as fast as numpy and Polars, with {ratio(files, cpu)} times less "
        "CPU. Targets: 2 million a second of CPU into the log, 5 million of encoding alone, 3 times numpy and Polars.",
    ]
