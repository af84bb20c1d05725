"""What the measurements share: a folder, projects with an applied domain, events, runs measured from outside, and services."""
import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "scripts", "peers"))

import measure  # noqa: E402


class Failed(Exception):
    """A measurement cannot be made, or what was measured gave a wrong answer."""


class Setting:
    """`events` and `rounds` are what the person asked for; everything is kept below `folder`."""

    def __init__(self, binary, folder, events, rounds):
        self.binary, self.folder, self.events, self.rounds = binary, folder, events, rounds
        self.avro_bench = os.path.join(os.path.dirname(os.path.realpath(binary)), "avro-bench")
        self.log = os.path.join(folder, "targets.log")
        # The highest share of the cores that other programs took during a run.
        self.others, self.served = 0.0, False
        self.running = []

    def purchases(self, form, events=None, hours=2):
        """The file with so many purchases of so many hours, NDJSON or Avro, in memory where that is large enough."""
        length = "" if hours == 2 else f"-{hours}h"
        path = os.path.join(self.folder, "data", f"purchases-{events or self.events}{length}.{form}")
        if not os.path.exists(path):
            self.tool(os.path.join(ROOT, "scripts", "peers", "events.py"), "--events", str(events or self.events), "--out",
                      os.path.join(self.folder, "data"), "--forms", form, "--hours", str(hours))
        # The first to come would read from the disk, the others from memory.
        with open(path, "rb") as source:
            while source.read(1 << 20):
                continue
        return path

    def tool(self, *arguments, environment="tools"):
        subprocess.run([os.path.join(self.folder, environment, "bin", "python"), *arguments], check=True,
                       stdin=subprocess.DEVNULL)

    def run(self, *command, folder=None, more=None):
        """Measures a command to its end. `more`: variables of its environment."""
        environment = dict(os.environ, **more) if more else None
        run = measure.measure(list(command), self.log, folder or self.folder, environment)
        if run.failure is not None:
            raise Failed(f"{' '.join(command)}: {run.failure}\n{self.output()[-2000:]}")
        self.others = max(self.others, run.others)
        return run

    def output(self):
        """What the last command printed."""
        with open(self.log, errors="replace") as output:
            return output.read()

    def services(self, *names):
        """Starts servers in a folder of their own (scripts/services.sh); returns their ports and passwords."""
        place = os.path.join(self.folder, "services")
        command = ["bash", os.path.join(ROOT, "scripts", "services.sh")]
        more = dict(os.environ, STREAMPLAT_SERVICES=place, STREAMPLAT_BIN=self.binary)
        started = subprocess.run([*command, "start", *names], env=more, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                 check=False)
        if started.returncode != 0:
            raise Failed(f"the servers {', '.join(names)} did not start\n{started.stderr[-2000:]}")
        self.served = True
        self.running.append(lambda: subprocess.run([*command, "stop", *names], env=more, stdin=subprocess.DEVNULL,
                                                   stdout=subprocess.DEVNULL, check=False))
        with open(os.path.join(place, "env")) as settings:
            return dict(re.findall(r"(?m)^(\w+)=(.*)$", settings.read()))

    def service_process(self, name):
        with open(os.path.join(self.folder, "services", f"{name}.pid")) as file:
            return int(file.read().split()[0])

    def stop_services(self):
        while self.running:
            self.running.pop()()


class Project:
    """A copy of a project's folder with one domain applied; `start` gives a fresh copy of that for each run."""

    def __init__(self, setting, name, source, domain, settings=(), more=None, files=()):
        """`files`: further (path, text) of the project; `more`: variables of the commands' environment."""
        self.setting, self.domain, self.settings, self.more = setting, domain, list(settings), more
        self.applied = os.path.join(setting.folder, f"target-{name}")
        self.folder = os.path.join(setting.folder, "target-run")
        shutil.rmtree(self.applied, ignore_errors=True)
        shutil.copytree(os.path.join(ROOT, "scripts", source), self.applied)
        for path, text in files:
            with open(os.path.join(self.applied, path), "w") as file:
                file.write(text)
        setting.run(setting.binary, "apply", domain, "--yes", *self.settings, folder=self.applied, more=more)

    def fresh(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.applied, self.folder)

    def run(self, command, *arguments):
        return self.setting.run(self.setting.binary, command, self.domain, *arguments, *self.settings, folder=self.folder,
                                more=self.more)

    def check(self, table, events):
        """The number of rows of the last run's results, in SQLite or in an NDJSON file; their `events` must add up to these."""
        results = os.path.join(self.folder, ".streamplat", "results")
        if os.path.exists(f"{results}.db"):
            database = sqlite3.connect(f"file:{results}.db?mode=ro", uri=True)
            counted, rows = database.execute(f"SELECT coalesce(sum(events), 0), count(*) FROM {table}").fetchone()
            database.close()
        else:
            counted = rows = 0
            with open(os.path.join(results, f"{table}.ndjson")) as file:
                for row in file:
                    counted, rows = counted + json.loads(row)["events"], rows + 1
        same(f"the events of {table}", counted, events)
        return rows


def same(what, found, wanted):
    if found != wanted:
        raise Failed(f"{what}: {found} instead of {wanted}")


def pairs(rounds, first, second):
    """Results of both, one right after the other, the order changing from round to round."""
    results = []
    for number in range(rounds):
        if number % 2:
            later = second()
            results.append((first(), later))
        else:
            results.append((first(), second()))
    return results


def ratio(results, key):
    """`first / second` of each pair: median (lowest–highest)."""
    return spread([key(first) / key(second) for first, second in results])


def spread(values):
    """Median (lowest–highest)."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def median(runs, key):
    return statistics.median(key(run) for run in runs)


def processor_seconds(pid):
    """User and system time that a process has taken so far."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / measure.TICKS


def seconds(run):
    return run.seconds


def cpu(run):
    return run.cpu


def line(what, runs, servers, amount, form):
    """A table's row of runs beside a server. `servers`: its processor time by run; `amount` is what a run got done, `form` that of
    the speed."""
    wall = median(runs, seconds)
    return f"| {what} | {wall:.2f} | {amount / wall:{form}} | {median(runs, cpu):.2f} | {statistics.median(servers):.2f} |"
