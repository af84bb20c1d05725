"""From an event's place in the log to its count in the table, at a steady rate."""
import bisect
import ctypes
import os
import shutil
import signal
import sqlite3
import statistics
import struct
import subprocess
import time

import postgresql
from setting import Failed, Project

TITLE = "Latency"
RATE = 50_000
SECONDS = 60
# Left out at both ends: the first windows are empty, and the last events come with the end of the generator.
MARGIN = 5 * RATE
POLL = 0.001
SUM = "SELECT COALESCE(sum(purchases), 0) FROM purchases_per_minute"
RUNTIME = """
runtime: { flush_interval: 100 ms }
"""


class LogTail:
    """How many records the embedded log holds by now: read from the heads of its batches (docs/event-log.md)."""

    def __init__(self, folder):
        self.folder, self.places, self.total = folder, {}, 0

    def look(self):
        for partition in os.scandir(self.folder):
            if not partition.is_dir():
                continue
            segments = sorted(name for name in os.listdir(partition.path) if name.endswith(".log"))
            if not segments:
                continue
            segment, place = self.places.get(partition.name, (segments[0], 0))
            while True:
                with open(os.path.join(partition.path, segment), "rb") as file:
                    size = os.fstat(file.fileno()).st_size
                    while place + 61 <= size:
                        head = os.pread(file.fileno(), 61, place)
                        length, records = struct.unpack_from(">i", head, 8)[0] + 12, struct.unpack_from(">i", head, 57)[0]
                        if length == 12 or place + length > size:
                            break
                        self.total, place = self.total + records, place + length
                later = segments[segments.index(segment) + 1:]
                if not later or place < size:
                    break
                segment, place = later[0], 0
            self.places[partition.name] = (segment, place)
        return self.total


class PostgreSQL:
    """One connection by libpq, so that a look costs little."""

    def __init__(self, settings):
        self.libpq = ctypes.CDLL("libpq.so.5")
        self.libpq.PQconnectdb.restype = self.libpq.PQexec.restype = ctypes.c_void_p
        self.libpq.PQgetvalue.restype = ctypes.c_char_p
        login = (f"host=127.0.0.1 port={settings['POSTGRES_PORT']} user=streamplat dbname=targets "
                 f"password={settings['POSTGRES_PASSWORD']}")
        self.connection = ctypes.c_void_p(self.libpq.PQconnectdb(login.encode()))
        if self.libpq.PQstatus(self.connection) != 0:
            raise Failed("no connection to PostgreSQL")

    def look(self):
        result = ctypes.c_void_p(self.libpq.PQexec(self.connection, SUM.encode()))
        text = self.libpq.PQgetvalue(result, 0, 0)
        self.libpq.PQclear(result)
        return int(text)


class SQLite:
    def __init__(self, path):
        self.database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)

    def look(self):
        return self.database.execute(SUM).fetchone()[0]


def observed(setting, project, table):
    """(moments, counts) of the log and of the table, while one process generates and another one runs."""
    events = RATE * SECONDS
    with open(setting.log, "wb") as log:
        def start(*arguments):
            return subprocess.Popen([setting.binary, *arguments, *project.settings], cwd=project.folder, stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log, env=dict(os.environ, **(project.more or {})))
        run = start("run", "bench")
        generator = None
        try:
            time.sleep(2)
            generator = start("generate", "bench", "--rate", str(RATE), "--events", str(events))
            tail, reader = LogTail(os.path.join(project.folder, ".streamplat", "log", "topics", "events.purchase")), table()
            written, visible = ([], []), ([], [])
            end = time.monotonic() + SECONDS + 60
            while not visible[1] or visible[1][-1] < events:
                for source, (moments, counts) in ((tail, written), (reader, visible)):
                    # An event counts as written from before the look, and as visible from after it: never too early.
                    before = time.monotonic()
                    count = source.look()
                    if count != (counts[-1] if counts else 0):
                        moments.append(before if source is tail else time.monotonic())
                        counts.append(count)
                if time.monotonic() > end or run.poll() is not None:
                    log.flush()
                    raise Failed(f"only {visible[1][-1:]} of {events} events came to the table\n{setting.output()[-2000:]}")
                time.sleep(POLL)
        finally:
            for process in (run, generator):
                if process is not None:
                    process.send_signal(signal.SIGTERM)
                    process.wait()
    return written, visible


def delays(written, visible):
    """Milliseconds of every hundredth event in the order of the log."""
    found = []
    for number in range(MARGIN, RATE * SECONDS - MARGIN, 100):
        there = written[0][bisect.bisect_left(written[1], number)]
        seen = visible[0][bisect.bisect_left(visible[1], number)]
        found.append((seen - there) * 1000)
    return sorted(found)


def measured(setting):
    settings = setting.services("postgres")
    postgresql.Server(settings, setting).ask("DROP DATABASE IF EXISTS targets WITH (FORCE)")
    lines = ["| into | p50, ms | p99, ms | highest, ms |", "| --- | ---: | ---: | ---: |"]
    for name in ("SQLite", "PostgreSQL"):
        server = postgresql.SERVER % settings["POSTGRES_PORT"] if name == "PostgreSQL" else ""
        project = Project(setting, "latency", "bench", "bench", ["-e", "server"],
                          {"POSTGRES_PASSWORD": settings["POSTGRES_PASSWORD"]}, [("environments/server.yaml", RUNTIME + server)])
        project.fresh()
        results = os.path.join(project.folder, ".streamplat", "results.db")
        found = delays(*observed(setting, project, lambda: PostgreSQL(settings) if server else SQLite(results)))
        lines.append(f"| {name} | {statistics.median(found):.0f} | {found[len(found) * 99 // 100]:.0f} | {found[-1]:.0f} |")
        shutil.rmtree(project.folder)
    return [
        f"{RATE:,} purchases a second by `generate --rate` into the embedded log (in bursts, about twelve a second) for {SECONDS} s, counted per minute, "
        "device and country with `emit: updates` and `runtime.flush_interval: 100 ms`. A reader beside them sees every millisecond or two what the "
        "log holds and what the table's counts add up to; the delay of the n-th event is from when the log held n to when the table did. "
        "Targets: p50 120 ms, p99 250 ms.", "", *lines,
    ]
