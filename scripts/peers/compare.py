#!/usr/bin/env python3
"""Runs streamplat and the peers in turn on the same files and the same two cores; prints tables of the ratios.

    compare.py --binary PATH [--events 1000000] [--rounds 5] [--workloads q1,q2] [--peers duckdb,flink] [--docs FILE]

In each round each peer runs right before or after streamplat (the order changes from round to round): a ratio is of two
neighbours, so both saw the same machine. Every answer is compared with the reference; a wrong one is an error, not a ratio.
Peers that take longer than --slow seconds get --slow-rounds rounds. With --wait each pair waits up to so many seconds until
other programs leave the cores alone. All runs go to results-EVENTS.jsonl in the folder, in the place of what was there; with
--keep what was there about other workloads and peers stays in the file and in the tables. --docs puts the tables into a file
of documentation. Exit codes: 0 all answers are right, 1 one is wrong or a program failed.
"""
import argparse
import dataclasses
import fcntl
import json
import os
import signal
import subprocess
import sys
import time

import measure
import tables
from contestants import Failed, Peer, Streamplat
from workloads import BATCH, INTO_TABLES, STREAMS, WITHOUT_AVRO, WORKLOADS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
QUIET_SHARE = 0.15
INTO_SQLITE = ("sqlite",)


class Comparison:
    def __init__(self, options):
        self.options = options
        self.folder = os.path.abspath(options.folder)
        self.tools = os.path.join(self.folder, "tools", "bin", "python")
        self.data = os.path.join(self.folder, "data", f"purchases-{options.events}")
        self.workloads = [one for one in WORKLOADS if one.name in options.workloads]
        os.makedirs(os.path.join(self.folder, "answers"), exist_ok=True)
        self.lock = open(os.path.join(self.folder, "lock"), "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failed(f"another comparison works in {self.folder}") from None
        self.streamplat = Streamplat(os.path.abspath(options.binary), self.folder, sorted({one.query for one in self.workloads}))
        self.peers = {name: Peer(name, self.folder) for name in options.peers}
        self.log = os.path.join(self.folder, "command.log")
        self.results = os.path.join(self.folder, f"results-{options.events}.jsonl")
        self.runs, self.failed = self.kept(), False
        self.command = f"make bench-peers EVENTS={options.events} ROUNDS={options.rounds}"
        if len(options.workloads) < len(WORKLOADS):
            self.command += f" WORKLOADS={','.join(options.workloads)}"
        if len(options.peers) < len(BATCH + INTO_TABLES + STREAMS):
            self.command += f" PEERS={','.join(options.peers)}"

    def kept(self):
        """The runs of earlier comparisons that this one does not repeat; the file of results holds no others from now on."""
        runs = []
        if self.options.keep and os.path.exists(self.results):
            with open(self.results) as results:
                runs = [json.loads(line) for line in results]
        runs = [run for run in runs if run["workload"] not in self.options.workloads or run["peer"] not in self.options.peers]
        with open(self.results, "w") as results:
            results.writelines(json.dumps(run) + "\n" for run in runs)
        return runs

    def tool(self, script, *arguments):
        """Runs a script of this folder with the tools' Python: what judges must not make this process large."""
        command = [self.tools, os.path.join(os.path.dirname(os.path.abspath(__file__)), script), *arguments]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def reference(self, query):
        path = f"{self.data}-{query}.parquet"
        if not os.path.exists(path):
            made = self.tool("judge.py", "reference", query, f"{self.data}.ndjson", path)
            if made.returncode != 0:
                raise Failed(f"no reference of {query}\n{made.stderr}")
        return path

    def source(self, form):
        return self.data + {"ndjson": ".ndjson", "log": ".ndjson", "shuffled": "-shuffled.ndjson", "avro": ".avro"}[form]

    def run(self, workload, peer, name, number, command, folder, environment, place):
        limits = {"seconds_limit": self.options.limit, "memory_limit_mib": self.options.memory * 1024}
        run = measure.measure(command, self.log, folder, environment, **limits)
        if run.failure is None:
            verdict = self.tool("judge.py", "check", workload.query, self.reference(workload.query), place)
            if verdict.returncode != 0:
                run.failure = "wrong answer: " + (verdict.stdout.strip() or verdict.stderr.strip()[-300:])
        if run.failure is not None:
            # A peer that needs more than its limits is slow, not wrong; ours may not be.
            self.failed = self.failed or not run.stopped or name.startswith("streamplat")
            with open(self.log, errors="replace") as output:
                tail = output.read()[-1500:]
            print(f"compare: {workload.name}, {name}: {run.failure}\n{' '.join(command)}\n{tail}", file=sys.stderr)
        line = {"workload": workload.name, "peer": peer, "name": name, "round": number, "load": round(os.getloadavg()[0], 2),
                "commit": tables.commit(), "command": self.command, **dataclasses.asdict(run)}
        self.runs.append(line)
        with open(self.results, "a") as results:
            results.write(json.dumps(line) + "\n")
        print(f"   {workload.name} {number} {name}: {run.seconds:.2f} s, CPU {run.cpu:.2f} s, {run.peak_mib:.0f} MiB, "
              f"others {run.others:.0%}", file=sys.stderr)
        return run

    def ours(self, workload, table, number, beside):
        command, folder, place = self.streamplat.start(workload.query, None if workload.form == "log" else self.source(workload.form), table)
        return self.run(workload, beside, f"streamplat-{table}", number, command, folder, None, place)

    def theirs(self, workload, peer, number):
        form = "ndjson" if peer.name in WITHOUT_AVRO else workload.form
        command, environment, place = peer.start(workload.query, self.source(form))
        return self.run(workload, peer.name, peer.name, number, command, None, environment, place)

    def wait(self):
        end = time.monotonic() + self.options.wait
        while time.monotonic() < end and measure.others_share() > QUIET_SHARE:
            time.sleep(1)

    def workload(self, workload):
        print(f"== {workload.name}: {workload.title}", file=sys.stderr)
        # The first to come would read from the disk, the others from memory.
        with open(self.source(workload.form), "rb") as source:
            while source.read(1 << 20):
                continue
        self.reference(workload.query)
        if workload.form == "log":
            self.streamplat.ingest(workload.query, self.source("log"))
        rounds = {name: self.options.rounds for name in workload.peers if name in self.peers and not self.peers[name].missing}
        for number in range(self.options.rounds):
            for name in [name for name, count in rounds.items() if number < count]:
                self.wait()
                tables_beside = INTO_SQLITE if name in INTO_TABLES else workload.tables
                sides = [lambda table=table: self.ours(workload, table, number, name) for table in tables_beside]
                place = 0 if number % 2 else len(sides)
                peer_run = []
                sides.insert(place, lambda: peer_run.append(self.theirs(workload, self.peers[name], number)))
                for side in sides:
                    side()
                if peer_run[0].failure is not None:
                    rounds[name] = 0
                elif peer_run[0].seconds > self.options.slow:
                    rounds[name] = min(rounds[name], self.options.slow_rounds or self.options.rounds)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--binary", required=True)
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--slow", type=float, default=10, help="seconds")
    arguments.add_argument("--slow-rounds", type=int, help="by default as many as of the others")
    arguments.add_argument("--workloads", type=lambda text: text.split(","), default=[one.name for one in WORKLOADS])
    arguments.add_argument("--peers", type=lambda text: text.split(","), default=list(BATCH + INTO_TABLES + STREAMS))
    arguments.add_argument("--limit", type=float, default=180, help="seconds after which a run is stopped")
    arguments.add_argument("--memory", type=int, default=8, help="GiB past which a run is stopped")
    arguments.add_argument("--wait", type=float, default=0, help="seconds to wait for idle cores before each pair")
    arguments.add_argument("--keep", action="store_true", help="keep what is known of other workloads and peers")
    arguments.add_argument("--folder", default=os.path.join(ROOT, ".peers"))
    arguments.add_argument("--docs", help="a file whose part about so many events is replaced")
    options = arguments.parse_args()
    # So that what runs is ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    measure.prepare()
    comparison = Comparison(options)
    for peer in comparison.peers.values():
        if peer.missing:
            print(f"== {peer.name}: skipped, {peer.missing}", file=sys.stderr)
    for workload in comparison.workloads:
        comparison.workload(workload)
    text = tables.section(options.events, comparison.runs, comparison.folder)
    print(text)
    if options.docs:
        tables.replace(options.docs, f"peers {options.events}", text)
    sys.exit(1 if comparison.failed else 0)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"compare: {failure}")
