"""Peak memory of one run over a file, and over one ten times as large."""
import os

from setting import Project, median, seconds

TITLE = "Memory"
# Both are of two hours: open windows of the larger one hold more users.
EVENTS = (5_000_000, 50_000_000)


def measured(setting):
    project = Project(setting, "memory", "peers/project", "q1")
    lines = ["| events | file, GB | s | peak, MiB (lowest–highest) |", "| ---: | ---: | ---: | ---: |"]
    for events in EVENTS:
        source = setting.purchases("ndjson", events)
        runs = []
        for _ in range(setting.rounds):
            project.fresh()
            runs.append(project.run("run", "--until-idle", "--close-windows", "--input", f"purchase={source}"))
        peaks = [peak(run) for run in runs]
        lines.append(f"| {events:,} | {os.path.getsize(source) / 1e9:.1f} | {median(runs, seconds):.2f} | {median(runs, peak):.0f} "
                     f"({min(peaks):.0f}–{max(peaks):.0f}) |")
    return ["Q1 from NDJSON into SQLite with two workers. Target: 128 MiB at fifty million events, whatever the size of the file.", "",
            *lines]


def peak(run):
    return run.peak_mib
