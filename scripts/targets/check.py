#!/usr/bin/env python3
"""`make bench-check`, part of CI: what stays the same from machine to machine. Instructions are counted, nothing is timed.

    check.py --binary PATH

An event's instructions are a slope: of `run --input` over many events less those over few, divided by the difference; what a run
costs besides (start, configuration, rows, a checkpoint) falls out. Counted by callgrind on copies without debug information.
`avro-bench` must lie beside the binary. Exit code 1 when a figure is past its limit.
"""
import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import fastavro

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FEW, MANY = 20_000, 60_000
# Short, so that windows and groups are the same in both files.
MINUTES = 5
# About a fifth above what was measured when they were set, with the build of the tests (`-enable-testing`, checks of exclusive
# access); the one for use needs less. Who makes an event cheaper lowers them, who makes it dearer says why: docs/performance.md.
MOST = {"ndjson": 3_650, "avro": 2_450}
MOST_OF_TWO_WORKERS = 1.25
LEAST_TIMES_LIBAVRO = 6.0
# An aggregation more over the same events costs what it counts, and no second reading of the event.
FURTHER = 9
MOST_OF_FURTHER = 0.25
FURTHER_AGGREGATION = """
  - name: further_%d
    from: [purchase]
    window: { type: tumbling, duration: 1 minute }
    group_by: [category]
    emit: final
    measures:
      - { name: events, type: count }
      - { name: revenue, type: sum, field: total_amount }
"""
SCHEMA = {"type": "record", "name": "Purchase", "namespace": "bench", "fields": [
    {"name": name, "type": kind} for name, kind in [
        ("event_id", "string"), ("timestamp", "long"), ("user_id", "string"), ("device_type", "string"), ("country", "string"),
        ("category", "string"), ("quantity", "int"), ("unit_price", "double"), ("total_amount", "double")]]}


class Failed(Exception):
    """Nothing could be counted."""


def instructions(command, folder):
    """How many a command takes, with all its threads."""
    counted = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command], cwd=folder,
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", counted.stderr)
    if counted.returncode != 0 or not found:
        raise Failed(f"{' '.join(command)} ended with {counted.returncode} under callgrind\n{counted.stdout}{counted.stderr}"[-3000:])
    return int(found.group(1))


class Check:
    def __init__(self, binary, folder):
        self.folder, self.failed = folder, []
        self.binary, self.codec = (os.path.join(folder, name) for name in ("streamplat", "avro-bench"))
        for source, place in ((binary, self.binary), (os.path.join(os.path.dirname(binary), "avro-bench"), self.codec)):
            subprocess.run(["strip", "--strip-debug", "-o", place, source], check=True)
        self.project = os.path.join(folder, "project")
        shutil.copytree(os.path.join(ROOT, "scripts", "peers", "project"), self.project)
        self.apply(self.project)
        self.larger = os.path.join(folder, "larger")
        shutil.copytree(os.path.join(ROOT, "scripts", "peers", "project"), self.larger)
        with open(os.path.join(self.larger, "domains", "q1.yaml"), "a") as domain:
            domain.writelines(FURTHER_AGGREGATION % number for number in range(FURTHER))
        self.apply(self.larger)
        for events in (FEW, MANY):
            self.purchases(events)

    def apply(self, project):
        subprocess.run([self.binary, "apply", "q1", "--yes"], cwd=project, check=True, capture_output=True)

    def purchases(self, events):
        lines = os.path.join(self.folder, f"{events}.ndjson")
        subprocess.run([sys.executable, os.path.join(ROOT, "scripts", "bench_events.py"), "--events", str(events), "--minutes",
                        str(MINUTES), "--out", lines], check=True)
        with open(lines) as source, open(os.path.join(self.folder, f"{events}.avro"), "wb") as out:
            # Blocks of such a size that two workers have enough of them.
            fastavro.writer(out, SCHEMA, map(json.loads, source), codec="null", sync_interval=1 << 17)

    def run(self, form, events, workers, project=None):
        project = project or self.project
        folder = os.path.join(self.folder, f"run-{os.path.basename(project)}-{form}-{events}-{workers}")
        shutil.copytree(project, folder)
        source = os.path.join(self.folder, f"{events}.{form}")
        return instructions([self.binary, "run", "q1", "--until-idle", "--close-windows", "--workers", str(workers), "--input",
                             f"purchase={source}"], folder)

    def decode(self, what, passes):
        return instructions([self.codec, what, str(passes)], self.folder)

    def judge(self, what, value, limit, is_most, form):
        holds = value <= limit if is_most else value >= limit
        print(f"{'   ' if holds else '!! '}{what}: {value:{form}}, {'at most' if is_most else 'at least'} {limit:{form}}")
        if not holds:
            self.failed.append(what)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", required=True, type=os.path.realpath)
    options = arguments.parse_args()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        check = Check(options.binary, folder)
        runs = [(form, events, workers) for form in ("ndjson", "avro") for workers in (1, 2) for events in (FEW, MANY)]
        decodes = [(what, passes) for what in ("decode_all", "decode_libavro") for passes in (1, 3)]
        # Two at a time: counts do not depend on what else runs.
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            counting = {run: pool.submit(check.run, *run) for run in runs} | {one: pool.submit(check.decode, *one) for one in decodes}
            counting |= {("larger", events, 1): pool.submit(check.run, "ndjson", events, 1, check.larger) for events in (FEW, MANY)}
        counts = {one: future.result() for one, future in counting.items()}

    def slope(form, workers):
        return (counts[form, MANY, workers] - counts[form, FEW, workers]) / (MANY - FEW)

    def record(what):
        return counts[what, 3] - counts[what, 1]

    for form in ("ndjson", "avro"):
        check.judge(f"instructions an event from {form}", slope(form, 1), MOST[form], True, ",.0f")
        check.judge(f"two workers' to one worker's from {form}", slope(form, 2) / slope(form, 1), MOST_OF_TWO_WORKERS, True, ".2f")
    one = slope("ndjson", 1)
    check.judge("of each further aggregation, as a share of the first with its reading", (slope("larger", 1) - one) / FURTHER / one,
                MOST_OF_FURTHER, True, ".2f")
    check.judge("libavro's to the plan decoder's for a record", record("decode_libavro") / record("decode_all"),
                LEAST_TIMES_LIBAVRO, False, ".1f")
    print(f"== counted in {time.monotonic() - begin:.0f} s")
    if check.failed:
        sys.exit("bench-check: past its limit: " + "; ".join(check.failed)
                 + "\nWhat the figures mean, and how to find where instructions went: docs/benchmarks.md, \"In CI\"")


if __name__ == "__main__":
    try:
        main()
    except (Failed, subprocess.CalledProcessError) as failure:
        sys.exit(f"bench-check: {failure}")
