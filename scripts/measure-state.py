#!/usr/bin/env python3
"""Measures the memory of a run with very many open groups, what its checkpoints cost, and the memory of one whose sink is slow.

    measure-state.py --binary PATH groups [--groups 10000000] [--limit-mib 2048] [--folder DIR]
    measure-state.py --binary PATH checkpoints [--groups 1000000] [--percent 1] [--rounds 20] [--folder DIR]
    measure-state.py --binary PATH slow-sink [--seconds 600] [--svg FILE] [--folder DIR]

`groups`: every event has a key of its own (16 bytes); a count and an integer sum by key in one window. First a run that reads
all of them and keeps the window open, with checkpoints; then one that goes on from the last checkpoint, closes the window and
writes all rows to SQLite. Prints a Markdown table; fails when the highest resident memory (VmHWM) exceeds the limit.

`checkpoints`: the same groups; a run goes on from them and takes a checkpoint every two seconds, while events for so many of a
hundred groups are added before each. Prints bytes and milliseconds of checkpoints that wrote everything and of those that wrote what
had changed.

`slow-sink`: rows of single events go to `console`, whose reader takes one line a second. Prints resident memory over time and
fails when it grows by more than 10 % after the first tenth of the time.
"""
import argparse
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
START = 1_700_000_000_000 - 1_700_000_000_000 % 3_600_000

DOMAIN = """
domain: keys
entity: {{ primary_key: user_id }}
event_types:
  - name: hit
    attributes: [key]
    metrics: [{{ name: amount, type: long }}]
    raw_events: {raw}
aggregations:
  - name: by_key
    from: [hit]
    group_by: [key]
    window: {{ type: tumbling, duration: 1 hour }}
    emit: final
    measures:
      - {{ name: hits, type: count }}
      - {{ name: amount, type: sum, field: amount }}
"""


def project(folder, raw):
    for part in ("config", "environments"):
        shutil.copytree(os.path.join(ROOT, part), os.path.join(folder, part), dirs_exist_ok=True)
    os.makedirs(os.path.join(folder, "domains"), exist_ok=True)
    with open(os.path.join(folder, "domains", "keys.yaml"), "w") as file:
        file.write(DOMAIN.format(raw=str(raw).lower()))


def events(path, count, numbers=None):
    """Keys are spread as hashes are: neighbours have nothing in common."""
    with open(path, "w") as file:
        for number in numbers or range(count):
            key = number * 0x9E3779B97F4A7C15 % 2**64
            file.write(
                f'{{"event_id":"{number}","timestamp":{START + number % 3_000_000},"user_id":"u","key":"{key:016x}",'
                f'"amount":{number % 1000}}}\n')


def status(pid):
    """Kibibytes by name, such as VmHWM; empty when the process has ended."""
    try:
        with open(f"/proc/{pid}/status") as file:
            lines = [line.split() for line in file]
    except OSError:
        return {}
    return {line[0][:-1]: int(line[1]) for line in lines if line[0].startswith(("VmHWM", "VmRSS"))}


def command(binary, folder, *arguments):
    """(seconds, highest resident MiB) of one command."""
    begin = time.monotonic()
    with open(os.path.join(folder, "command.log"), "w+") as log:
        child = subprocess.Popen([binary, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        peak = 0
        while child.poll() is None:
            peak = max(peak, status(child.pid).get("VmHWM", 0))
            time.sleep(0.02)
        if child.returncode != 0:
            log.seek(0)
            sys.exit(f"{' '.join(arguments)} ended with {child.returncode}:\n{log.read()}")
    return time.monotonic() - begin, peak / 1024


def size(folder, prefix):
    return sum(
        os.path.getsize(os.path.join(path, name))
        for path, _, names in os.walk(os.path.join(folder, ".streamplat", "checkpoints"))
        for name in names if name.startswith(prefix))


def groups(options, folder):
    project(folder, raw=False)
    log = os.path.join(folder, "events.ndjson")
    events(log, options.groups)
    command(options.binary, folder, "apply", "keys", "--yes")
    command(options.binary, folder, "ingest", "hit", log, "--domain", "keys")
    os.remove(log)
    settings = ["--set", "runtime.memory_limit=1536 MiB", "--set", "runtime.checkpoint.interval=5 s"]
    rows = []
    rows.append(("read, window open", *command(options.binary, folder, "run", "keys", "--until-idle", *settings)))
    state = max(
        (size(folder, f"state-{name.split('-')[1]}-{name.split('-')[2]}-")
         for _, _, names in os.walk(os.path.join(folder, ".streamplat")) for name in names if name.startswith("state-")),
        default=0)
    rows.append(("go on, close, write rows", *command(
        options.binary, folder, "run", "keys", "--until-idle", "--close-windows", *settings)))
    database = sqlite3.connect(os.path.join(folder, ".streamplat", "results.db"))
    written = database.execute("select count(*), sum(hits), sum(amount) from by_key").fetchone()
    expected = (options.groups, options.groups, sum(number % 1000 for number in range(options.groups)))
    print(f"{options.groups} groups, newest checkpoint {state / 2**20:.0f} MiB ({state / options.groups:.0f} bytes a group)")
    print("\n| run | seconds | VmHWM (MiB) | bytes a group |\n| --- | --- | --- | --- |")
    for name, seconds, peak in rows:
        print(f"| {name} | {seconds:.0f} | {peak:.0f} | {peak * 2**20 / options.groups:.0f} |")
    if written != expected:
        sys.exit(f"the table holds {written}, not {expected}")
    if max(row[2] for row in rows) > options.limit_mib:
        sys.exit(f"more than {options.limit_mib} MiB")


def checkpoints(options, folder):
    project(folder, raw=False)
    log = os.path.join(folder, "events.ndjson")
    events(log, options.groups)
    command(options.binary, folder, "apply", "keys", "--yes")
    command(options.binary, folder, "ingest", "hit", log, "--domain", "keys")
    command(options.binary, folder, "run", "keys", "--until-idle")
    output = os.path.join(folder, "run.log")
    with open(output, "w") as file:
        child = subprocess.Popen(
            [options.binary, "run", "keys", "--log-level", "debug", "--set", "monitoring.log.format=json", "--set",
             "runtime.checkpoint.interval=2 s"], cwd=folder, stdin=subprocess.DEVNULL, stdout=file, stderr=file)

    def written():
        """(bytes, milliseconds) of every checkpoint until now."""
        found = []
        with open(output) as file:
            for line in file:
                if "checkpoint written" in line:
                    values = {key: int(re.search(key + r"[^0-9]{1,4}([0-9]+)", line)[1]) for key in ("bytes", "ms")}
                    found.append((values["bytes"], values["ms"]))
        return found

    def wait(count):
        while len(written()) < count:
            if child.poll() is not None:
                with open(output) as file:
                    sys.exit(f"the run ended with {child.returncode}:\n{file.read()[-2000:]}")
            time.sleep(0.02)

    try:
        wait(1)
        step = options.groups * options.percent // 100
        for number in range(options.rounds):
            # Other groups each time.
            events(log, step, [(number + index * options.rounds) % options.groups for index in range(step)])
            before = len(written())
            command(options.binary, folder, "ingest", "hit", log, "--domain", "keys")
            # One may have been under way.
            wait(before + 2)
    finally:
        child.send_signal(signal.SIGINT)
        child.wait()
    all_of_them = written()
    largest = max(bytes for bytes, _ in all_of_them)
    print(f"{options.groups} groups, {options.percent} % of them change before a checkpoint\n")
    print("| a checkpoint that writes | how many | bytes | ms |\n| --- | --- | --- | --- |")
    smallest = largest * options.percent // 400
    for name, part in (
            ("everything", [row for row in all_of_them if row[0] > largest // 2]),
            ("what changed", [row for row in all_of_them if smallest < row[0] <= largest // 2]),
            ("nothing that changed", [row for row in all_of_them if row[0] <= smallest])):
        if part:
            bytes, milliseconds = (sorted(values)[len(part) // 2] for values in zip(*part))
            print(f"| {name} | {len(part)} | {bytes} | {milliseconds} |")


def slow_sink(options, folder):
    project(folder, raw=True)
    log = os.path.join(folder, "events.ndjson")
    events(log, 1_000_000)
    command(options.binary, folder, "apply", "keys", "--yes", "--set", "sinks.primary.type=console")
    command(options.binary, folder, "ingest", "hit", log, "--domain", "keys")
    os.remove(log)
    child = subprocess.Popen(
        [options.binary, "run", "keys", "--set", "sinks.primary.type=console", "--set", "runtime.stop_timeout=1 s"],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def read():
        while child.stdout.readline():
            time.sleep(1)

    threading.Thread(target=read, daemon=True).start()
    begin = time.monotonic()
    curve = []
    while time.monotonic() - begin < options.seconds:
        resident = status(child.pid).get("VmRSS")
        if resident is None:
            sys.exit(f"the run ended with {child.wait()}")
        curve.append((time.monotonic() - begin, resident / 1024))
        time.sleep(min(2, options.seconds / 50))
    child.kill()
    child.wait()
    step = max(len(curve) // 20, 1)
    print("| seconds | resident (MiB) |\n| --- | --- |")
    for seconds, resident in curve[::step]:
        print(f"| {seconds:.0f} | {resident:.1f} |")
    if options.svg:
        with open(options.svg, "w") as file:
            file.write(drawing(curve))
    settled = curve[len(curve) // 10:]
    first, last = settled[0][1], max(resident for _, resident in settled)
    print(f"\nafter a tenth of the time {first:.1f} MiB, at most {last:.1f} MiB later")
    if last > first * 1.1:
        sys.exit("memory grows")


def drawing(curve):
    width, height, left, bottom = 640, 240, 56, 28
    end, top = curve[-1][0], max(resident for _, resident in curve) * 1.25
    x = lambda seconds: left + (width - left - 12) * seconds / end
    y = lambda resident: height - bottom - (height - bottom - 12) * resident / top
    line = " ".join(f"{x(seconds):.1f},{y(resident):.1f}" for seconds, resident in curve)
    grid = "".join(
        f'<line x1="{left}" x2="{width - 12}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>'
        f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.0f}</text>'
        for value in (0, top / 4, top / 2, top * 3 / 4))
    ticks = "".join(
        f'<text x="{x(end * part / 5):.1f}" y="{height - 10}" text-anchor="middle">{end * part / 5 / 60:.0f} min</text>'
        for part in range(6))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">'
        f'<rect width="{width}" height="{height}" fill="white"/>{grid}{ticks}'
        f'<text x="{left}" y="11">resident memory, MiB; a sink that takes one row a second</text>'
        f'<polyline points="{line}" fill="none" stroke="#06c" stroke-width="1.5"/></svg>\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=os.path.abspath)
    parser.add_argument("--folder", help="where to work; kept afterwards")
    parser.add_argument("what", choices=["groups", "checkpoints", "slow-sink"])
    parser.add_argument("--groups", type=int, help="by default 10000000, for `checkpoints` 1000000")
    parser.add_argument("--percent", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--limit-mib", type=int, default=2048)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--svg", type=os.path.abspath)
    options = parser.parse_args()
    options.groups = options.groups or (1_000_000 if options.what == "checkpoints" else 10_000_000)
    with tempfile.TemporaryDirectory() as temporary:
        folder = os.path.abspath(options.folder or temporary)
        os.makedirs(folder, exist_ok=True)
        {"groups": groups, "checkpoints": checkpoints, "slow-sink": slow_sink}[options.what](options, folder)


main()
