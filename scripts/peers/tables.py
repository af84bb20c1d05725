"""The Markdown that a comparison ends with, and where it stands in a file of documentation."""
import datetime
import os
import re
import statistics
import subprocess

from contestants import Peer
from workloads import BATCH, INTO_TABLES, STREAMS, WORKLOADS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ON_JAVA = ("flink", "spark")
INTO = {"sqlite": "into SQLite", "files": "into an NDJSON file"}


def machine():
    """Processor, cores, memory and system."""
    model = "unknown processor"
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30
    system = os.uname()
    return f"{model}, 2 of {os.cpu_count()} cores, {memory:.0f} GiB, {system.sysname} {system.release.split('-')[0]}"


def commit():
    """The commit of what is measured: of the sources, so that a change of documentation makes no other one."""
    def git(*arguments):
        return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False).stdout.strip()
    sources = ["Sources", "plugins", "Package.swift"]
    changed = " with changes" if git("status", "--porcelain", "--", *sources) else ""
    return (git("log", "-1", "--format=%h", "--abbrev=12", "--", *sources) or "unknown") + changed


def java():
    """Its version, as it says it: `openjdk version "17.0.13"`."""
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    return said.splitlines()[0].replace('"', "") if said else "Java of an unknown version"


def spread(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def table(runs, names, into):
    """A row for each peer: `runs` are those of one workload."""
    lines = ["| peer | peer, s | streamplat, s | times as fast | less CPU, times | peer, MiB | streamplat, MiB | rounds |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for name in names:
        ours = {run["round"]: run for run in runs if run["peer"] == name and run["name"] == f"streamplat-{into}"}
        theirs = {run["round"]: run for run in runs if run["peer"] == name and run["name"] == name}
        failures = [run["failure"] for run in [*ours.values(), *theirs.values()] if run["failure"] is not None]
        if failures:
            lines.append(f"| {name} | {failures[0]} | | | | | | |")
            continue
        pairs = [(ours[number], theirs[number]) for number in sorted(ours.keys() & theirs.keys())]
        if not pairs:
            continue
        median = {key: [statistics.median(pair[side][key] for pair in pairs) for side in (0, 1)]
                  for key in ("seconds", "peak_mib")}
        lines.append(
            f"| {name} | {median['seconds'][1]:.2f} | {median['seconds'][0]:.2f} | "
            f"{spread([theirs['seconds'] / ours['seconds'] for ours, theirs in pairs])} | "
            f"{statistics.median(theirs['cpu'] / ours['cpu'] for ours, theirs in pairs):.2f} | "
            f"{median['peak_mib'][1]:,.0f} | {median['peak_mib'][0]:,.0f} | {len(pairs)} |")
    return lines


def section(events, runs, folder):
    """All tables, with what they were measured on."""
    contestants = [Peer(name, folder) for name in BATCH + INTO_TABLES + STREAMS]
    versions = sorted({f"{package} {version}" for peer in contestants if any(run["peer"] == peer.name for run in runs)
                       for package, version in peer.versions()})
    if any(run["peer"] in ON_JAVA for run in runs):
        versions.append(java())
    loads, others = [run["load"] for run in runs], [run["others"] for run in runs]
    lines = [
        f"### {events:,} events", "",
        f"{machine()}; {datetime.date.today().isoformat()}; commit {', '.join(sorted({run['commit'] for run in runs}))}; "
        f"{', '.join(f'`{one}`' for one in sorted({run['command'] for run in runs}))}. {', '.join(versions)}.", "",
        f"During the runs the load average was {spread(loads)}, and other programs took {statistics.median(others):.0%} "
        f"({min(others):.0%}–{max(others):.0%}) of the two cores.", ""]
    skipped = [f"{peer.name} ({peer.missing})" for peer in contestants if peer.missing]
    if skipped:
        lines += ["Skipped: " + "; ".join(skipped) + ".", ""]
    for workload in WORKLOADS:
        measured = [run for run in runs if run["workload"] == workload.name]
        for into in workload.tables if measured else ():
            title = f"**{workload.name.upper()}.** {workload.title}"
            if len(workload.tables) > 1:
                title += f"; streamplat {INTO[into]}"
            peers = [name for name in workload.peers if into == "sqlite" or name not in INTO_TABLES]
            lines += [title + ".", "", *table(measured, peers, into), ""]
    return "\n".join(lines)


def replace(path, name, text):
    """Puts `text` between the marks `<!-- name -->` and `<!-- end of name -->` of a file; marks that are missing go to its end."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    with open(path, encoding="utf-8") as file:
        whole = file.read()
    if begin not in whole:
        whole += f"\n{begin}\n{end}\n"
    whole = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: f"{begin}\n{text}\n{end}", whole, flags=re.DOTALL)
    with open(path, "w", encoding="utf-8") as file:
        file.write(whole)
