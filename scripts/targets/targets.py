#!/usr/bin/env python3
"""Measures what streamplat promises of its own speed, part by part, and puts it into docs/benchmarks.md.

    targets.py --binary PATH [--parts generate,start,core,workers,slides,sqlite,postgresql,clickhouse,kafka,latency,memory]
               [--events 5000000] [--rounds 5] [--docs FILE]

What is a ratio is measured in pairs, one right after the other on the same two cores, the order changing from round to round: the
median of the pairs' ratios counts, lowest and highest stand beside it. After every run its answer must account for all the events
that went in, or the measurement ends with an error. `avro-bench` must lie beside the binary.
`memory` makes a file of 11 GB and is measured only where it is named.
"""
import argparse
import datetime
import importlib
import os
import signal
import subprocess
import sys

from setting import ROOT, Failed, Setting

import tables

USUAL = ("generate", "start", "core", "workers", "slides", "sqlite", "postgresql", "clickhouse", "kafka", "latency")
PARTS = (*USUAL, "memory")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", required=True, type=os.path.abspath)
    arguments.add_argument("--parts", type=lambda text: text.split(","), default=list(USUAL))
    arguments.add_argument("--events", type=int, default=5_000_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--folder", type=os.path.abspath, default=os.path.join(ROOT, ".peers"))
    arguments.add_argument("--docs", type=os.path.abspath)
    options = arguments.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        raise Failed(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    # So that servers are stopped, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    for part in options.parts:
        print(f"== {part}", file=sys.stderr)
        module = importlib.import_module(part)
        setting = Setting(options.binary, options.folder, options.events, options.rounds)
        try:
            lines = module.measured(setting)
        finally:
            setting.stop_services()
        text = "\n".join([
            f"### {module.TITLE}", "", *lines, "",
            f"{tables.machine()}; {datetime.date.today().isoformat()}; commit {tables.commit()}; "
            f"`make bench-targets PARTS={part} EVENTS={options.events} ROUNDS={options.rounds}`; "
            f"{'servers and ' if setting.served else ''}other programs took up to {setting.others:.0%} of the two cores.", ""])
        print(text)
        if options.docs:
            tables.replace(options.docs, f"target {part}", text)


if __name__ == "__main__":
    try:
        main()
    except (Failed, subprocess.CalledProcessError) as failure:
        sys.exit(f"targets: {failure}")
