"""Peak memory of one run over a file, and over one that goes on ten times as long."""
import os

from setting import Project, median, seconds

TITLE = "Memory"
# (events, hours): in both as many events are in an open window, and as many users.
FILES = ((5_000_000, 2), (50_000_000, 20))


def measured(setting):
    project = Project(setting, "memory", "peers/project", "q1")
    lines = ["| events | hours of event time | file, GB | s | peak, MiB (lowest–highest) |", "| ---: | ---: | ---: | ---: | ---: |"]
    for events, hours in FILES:
        source = setting.purchases("ndjson", events, hours)
        runs = []
        for _ in range(setting.rounds):
            project.fresh()
            runs.append(project.run("run", "--until-idle", "--close-windows", "--workers", "2", "--input", f"purchase={source}"))
            project.check("q1", events)
        peaks = [peak(run) for run in runs]
        lines.append(f"| {events:,} | {hours} | {os.path.getsize(source) / 1e9:.1f} | {median(runs, seconds):.2f} | "
                     f"{median(runs, peak):.0f} ({min(peaks):.0f}–{max(peaks):.0f}) |")
    return ["Q1 from NDJSON into SQLite with two workers. Target: 128 MiB at fifty million events, and the same for any file.", "",
            *lines]


def peak(run):
    return run.peak_mib
