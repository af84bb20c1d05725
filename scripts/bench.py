#!/usr/bin/env python3
"""Measures whole commands: wall time, CPU time and peak memory. Prints Markdown tables with machine and commit.

    bench.py --binary PATH [--events 1000000] [--repeat 3] [--folder DIR] [--floors]

Of `--repeat` runs of each command the fastest counts; memory is the highest of all. The data file is made once and
kept in the folder. `validate` is measured over the shipped domains with one mistake each (bench_mutations.py), every one of
which must be found. `--floors` fails when a figure misses the floor or limit that docs/benchmarks.md promises.
"""
import argparse
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time

import bench_mutations

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MEMORY_FLOOR = 300
# Least events per second of each measurement; None: none promised.
FLOORS = {"generate to the log": 300_000, "ingest NDJSON": None, "run": 500_000}
# Most milliseconds that `validate` may take for a domain with a mistake.
VALIDATE_LIMIT = 200
LEAST_MUTATIONS = 60


class Failed(Exception):
    pass


def measure(command, folder):
    """(seconds, CPU seconds, peak MiB) of one command; its output is shown when it fails."""
    start = time.perf_counter()
    with open(os.path.join(folder, "command.log"), "w+b") as log:
        child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            log.seek(0)
            raise Failed(f"{' '.join(command)}\nexit code {child.returncode}\n{log.read().decode(errors='replace')}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


class Project:
    """A fresh copy of scripts/bench for every repetition, so that none finds the other's data."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, os.path.join(folder, "project")

    def reset(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(os.path.join(ROOT, "scripts", "bench"), self.folder)
        self.run("apply", "bench", "--yes")

    def run(self, *arguments):
        return measure([self.binary, *arguments], self.folder)


def validate(binary, folder):
    """Milliseconds of `validate` for each broken domain, one file broken at a time among all the others."""
    project = os.path.join(folder, "validate")
    shutil.rmtree(project, ignore_errors=True)
    for part in ["config", "environments", "domains"]:
        shutil.copytree(os.path.join(ROOT, part), os.path.join(project, part))
    times = []
    for file in sorted(os.listdir(os.path.join(ROOT, "domains"))):
        if not file.endswith(".yaml"):
            continue
        path = os.path.join(project, "domains", file)
        with open(path, encoding="utf-8") as whole:
            text = whole.read()
        measure([binary, "validate", file.removesuffix(".yaml")], project)
        for what, broken in bench_mutations.edits(text):
            with open(path, "w", encoding="utf-8") as out:
                out.write(broken)
            start = time.perf_counter()
            outcome = subprocess.run([binary, "validate", file.removesuffix(".yaml")], cwd=project, stdin=subprocess.DEVNULL,
                                     capture_output=True, text=True, check=False)
            times.append((time.perf_counter() - start) * 1000)
            if outcome.returncode != 2 or f"domains/{file}:" not in outcome.stderr:
                raise Failed(f"validate did not find the mistake in {file}: {what}\n{outcome.stdout}{outcome.stderr}")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
    shutil.rmtree(project, ignore_errors=True)
    if len(times) < LEAST_MUTATIONS:
        raise Failed(f"only {len(times)} broken domains, at least {LEAST_MUTATIONS} are promised")
    return times


def repeated(count, one):
    runs = [one() for _ in range(count)]
    best = min(runs)
    return best[0], best[1], max(run[2] for run in runs)


def machine():
    model = "unknown processor"
    try:
        with open("/proc/cpuinfo") as info:
            model = next(line.split(":", 1)[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def commit():
    def git(*arguments):
        return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False).stdout.strip()
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + (" with changes" if git("status", "--porcelain") else "")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", required=True)
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--repeat", type=int, default=3)
    arguments.add_argument("--folder", default=os.path.join(ROOT, ".build-bench"))
    arguments.add_argument("--purchases", help="an NDJSON file with that many purchases; else they are made here")
    arguments.add_argument("--floors", action="store_true", help="exit 1 when a figure misses its floor")
    options = arguments.parse_args()
    binary, events = os.path.abspath(options.binary), options.events
    os.makedirs(options.folder, exist_ok=True)
    data = options.purchases or os.path.join(os.path.abspath(options.folder), f"purchases-{events}.ndjson")
    if not os.path.exists(data):
        print(f"== making {events} purchases", file=sys.stderr)
        subprocess.run([sys.executable, os.path.join(ROOT, "scripts", "bench_events.py"), "--events", str(events),
                        "--out", data], check=True)
    project = Project(binary, options.folder)

    def generate():
        project.reset()
        return project.run("generate", "bench", "--events", str(events), "--seed", "42",
                           "--start", "2024-01-01T00:00:00Z", "--span", "2h")

    def ingest():
        project.reset()
        return project.run("ingest", "purchase", data, "--domain", "bench", "--timestamp-format", "epoch_ms")

    def run():
        shutil.rmtree(os.path.join(project.folder, ".streamplat", "checkpoints"), ignore_errors=True)
        return project.run("run", "bench", "--until-idle", "--close-windows", "--from-earliest")

    def check():
        """A fast wrong answer is none: every purchase must be in the table, once."""
        database = sqlite3.connect(os.path.join(project.folder, ".streamplat", "results.db"))
        counted = database.execute("SELECT sum(purchases) FROM purchases_per_minute").fetchone()[0]
        database.close()
        if counted != events:
            raise Failed(f"the table holds {counted} purchases instead of {events}")

    print("== validate", file=sys.stderr)
    validated = validate(binary, options.folder)
    results = []
    # The last ingest leaves the log that `run` reads.
    for name, one in [("generate to the log", generate), ("ingest NDJSON", ingest), ("run", run)]:
        print(f"== {name}, {options.repeat} times", file=sys.stderr)
        results.append((name, *repeated(options.repeat, one)))
    check()
    print(f"\n{machine()}; commit {commit()}; {events:,} purchases; best of {options.repeat}\n")
    print("| what | events/s | wall, s | CPU, s | peak memory, MiB | floor, events/s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    missed = []
    for name, seconds, processor, memory in results:
        rate, floor = events / seconds, FLOORS[name]
        print(f"| {name} | {rate:,.0f} | {seconds:.2f} | {processor:.2f} | {memory:.0f} | {f'{floor:,}' if floor else ''} |")
        if floor and rate < floor or memory > MEMORY_FLOOR:
            missed.append(name)
    worst = max(validated)
    print("\n| what | broken domains | median, ms | worst, ms | limit, ms |")
    print("| --- | ---: | ---: | ---: | ---: |")
    print(f"| validate | {len(validated)} | {statistics.median(validated):.0f} | {worst:.0f} | {VALIDATE_LIMIT} |")
    if worst > VALIDATE_LIMIT:
        missed.append("validate")
    for name in missed:
        print(f"bench: '{name}' misses its floor (rate, {MEMORY_FLOOR} MiB, or milliseconds)", file=sys.stderr)
    shutil.rmtree(project.folder, ignore_errors=True)
    sys.exit(1 if missed and options.floors else 0)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"bench: {failure}")
