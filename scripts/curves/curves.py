#!/usr/bin/env python3
"""Measures how time and memory grow with the work, and draws it: docs/curve-*.svg and a part of docs/benchmarks.md.

    curves.py --binary PATH [--curves events,groups,groups-files,windows,aggregations,partitions] [--repeat 3]
              [--most-events 10000000] [--docs docs]

Each point is the fastest of --repeat whole runs from an empty state (memory: the highest), with checkpoints on, into SQLite.
`cost of a step` is the CPU time of one more unit between two neighbours: where it grows, the curve bends, and ~0 is less than
the noise. The data comes from scripts/peers/events.py, run with the Python of .peers/tools. Every run's counts are compared with
what was put in.
"""
import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts", "peers"))

import measure  # noqa: E402
import tables  # noqa: E402

from definitions import CURVES  # noqa: E402
from drawing import drawing  # noqa: E402

NOISE = 0.1


class Failed(Exception):
    """The curves cannot be measured."""


class Bench:
    """Makes data and projects in a folder, and runs streamplat there."""

    def __init__(self, binary, folder, repeat):
        self.binary, self.folder, self.repeat = binary, folder, repeat
        self.project, self.log = os.path.join(folder, "curve"), os.path.join(folder, "curve.log")

    def purchases(self, events):
        """An NDJSON file with so many purchases."""
        path = os.path.join(self.folder, "data", f"purchases-{events}.ndjson")
        if not os.path.exists(path):
            self.tool(os.path.join(ROOT, "scripts", "peers", "events.py"), "--events", str(events), "--out",
                      os.path.join(self.folder, "data"), "--forms", "ndjson")
        return path

    def tool(self, *arguments):
        subprocess.run([os.path.join(self.folder, "tools", "bin", "python"), *arguments], check=True, stdin=subprocess.DEVNULL)

    def command(self, *arguments):
        run = measure.measure([self.binary, *arguments], self.log, self.project, None, seconds_limit=1800)
        if run.failure is not None:
            with open(self.log, errors="replace") as output:
                raise Failed(f"streamplat {' '.join(arguments)}: {run.failure}\n{output.read()[-2000:]}")
        return run

    def prepare(self, domain, settings=()):
        """A fresh project with this domain, applied."""
        shutil.rmtree(self.project, ignore_errors=True)
        shutil.copytree(os.path.join(ROOT, "scripts", "peers", "project"), self.project,
                        ignore=shutil.ignore_patterns("domains"))
        os.makedirs(os.path.join(self.project, "domains"))
        with open(os.path.join(self.project, "domains", "curve.yaml"), "w") as file:
            file.write(domain)
        self.command("apply", "curve", "--yes", *settings)

    def ingest(self, path, settings=()):
        self.command("ingest", "purchase", path, "--domain", "curve", *settings)

    def check(self, table, expected):
        """The answer counts every event in as many rows as it must."""
        file = os.path.join(self.project, ".streamplat", "results", f"{table}.ndjson")
        if os.path.exists(file):
            with open(file, encoding="utf-8") as rows:
                found = sum(json.loads(row)["events"] for row in rows)
        else:
            database = sqlite3.connect(f"file:{self.project}/.streamplat/results.db?mode=ro", uri=True)
            found = database.execute(f"SELECT sum(events) FROM {table}").fetchone()[0]
            database.close()
        if found != expected:
            raise Failed(f"{table} has counted {found} instead of {expected}")


def point(bench, curve, number):
    """(seconds, CPU seconds, peak MiB, highest share of other programs) of one point of a curve."""
    runs = []
    for _ in range(bench.repeat):
        arguments, table, expected = curve.prepare(bench, number)
        runs.append(bench.command("run", "curve", "--until-idle", "--close-windows", *arguments))
        bench.check(table, expected)
    return (min(run.seconds for run in runs), min(run.cpu for run in runs), max(run.peak_mib for run in runs),
            max(run.others for run in runs))


def table(curve, points):
    lines = [f"| {curve.unit} | s | CPU, s | cost of a step, {curve.step_unit} | peak, MiB |", "| ---: | ---: | ---: | ---: | ---: |"]
    for index, (number, (seconds, cpu, peak, _)) in enumerate(points):
        step = ""
        if index > 0:
            before, (_, cpu_before, _, _) = points[index - 1]
            cost = (cpu - cpu_before) / (number - before) * curve.step_factor
            # A difference below what the machine's other work makes of the same run says nothing.
            step = f"{cost:,.1f}" if cpu - cpu_before > NOISE * cpu else "~0"
        lines.append(f"| {number:,} | {seconds:.2f} | {cpu:.2f} | {step} | {peak:.0f} |")
    return lines


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", required=True, type=os.path.abspath)
    arguments.add_argument("--curves", type=lambda text: text.split(","), default=list(CURVES))
    arguments.add_argument("--repeat", type=int, default=3)
    arguments.add_argument("--most-events", type=int, default=10_000_000)
    arguments.add_argument("--folder", type=os.path.abspath, default=os.path.join(ROOT, ".peers"))
    arguments.add_argument("--docs", type=os.path.abspath, help="the folder of the drawings and of benchmarks.md")
    options = arguments.parse_args()
    measure.prepare()
    bench = Bench(options.binary, options.folder, options.repeat)
    for name in options.curves:
        curve, points = CURVES[name], []
        for number in curve.numbers:
            if name == "events" and number > options.most_events:
                continue
            points.append((number, point(bench, curve, number)))
            seconds, cpu, peak, others = points[-1][1]
            print(f"   {name} {number}: {seconds:.2f} s, CPU {cpu:.2f} s, {peak:.0f} MiB, others {others:.0%}", file=sys.stderr)
        others = max(values[3] for _, values in points)
        text = "\n".join([f"**{curve.title}** Fastest of {options.repeat}; commit {tables.commit()}; other programs took up to "
                          f"{others:.0%} of the two cores.", "", f"![{curve.unit}](curve-{name}.svg)", "", *table(curve, points), ""])
        print(text)
        if options.docs:
            with open(os.path.join(options.docs, f"curve-{name}.svg"), "w") as file:
                file.write(drawing(curve.unit, points))
            tables.replace(os.path.join(options.docs, "benchmarks.md"), f"curve {name}", text)


if __name__ == "__main__":
    try:
        main()
    except (Failed, subprocess.CalledProcessError) as failure:
        sys.exit(f"curves: {failure}")
