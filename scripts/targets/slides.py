"""Q2 with a slide of one second beside its usual thirty: thirty times as many windows an event."""
import os

from setting import ROOT, Failed, Project, cpu, median, pairs, ratio, seconds

TITLE = "A short slide"
DOMAIN = "domains/q2.yaml"
USUAL, SHORT = "duration: 5 minutes, slide: 30 seconds", "duration: 5 minutes, slide: 1 second"
# Windows that an event is in.
WINDOWS = {"30 s": 10, "1 s": 300}


def measured(setting):
    events = min(setting.events, 1_000_000)
    source = setting.purchases("ndjson", events)
    with open(os.path.join(ROOT, "scripts", "peers", "project", DOMAIN)) as file:
        domain = file.read()
    if domain.count(USUAL) != 1:
        raise Failed(f"{DOMAIN} does not say once: {USUAL}")
    projects = {"30 s": Project(setting, "slides-30", "peers/project", "q2"),
                "1 s": Project(setting, "slides-1", "peers/project", "q2", files=[(DOMAIN, domain.replace(USUAL, SHORT))])}
    rows = {}

    def run(slide):
        project = projects[slide]
        project.fresh()
        result = project.run("run", "--until-idle", "--close-windows", "--input", f"purchase={source}")
        rows[slide] = project.check("q2", events * WINDOWS[slide])
        return result

    results = pairs(setting.rounds, lambda: run("1 s"), lambda: run("30 s"))

    def line(slide, runs):
        return f"| {slide} | {WINDOWS[slide]} | {rows[slide]:,} | {median(runs, seconds):.2f} | {median(runs, cpu):.2f} |"

    return [
        f"Q2 (the last five minutes of each category) over {events:,} events from an NDJSON file into SQLite.", "",
        "| slide | windows of an event | rows | s | CPU, s |", "| --- | ---: | ---: | ---: | ---: |",
        line("30 s", [second for _, second in results]), line("1 s", [first for first, _ in results]), "",
        f"With 1 s it takes {ratio(results, seconds)} times as long and {ratio(results, cpu)} times the CPU. Target: less than 2.",
    ]
