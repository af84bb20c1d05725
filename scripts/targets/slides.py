"""Q2 with a slide of one second beside its usual thirty: thirty times as many windows an event."""
import os

from setting import ROOT, Failed, Project, cpu, median, pairs, ratio, seconds

TITLE = "A short slide"
DOMAIN = "domains/q2.yaml"
USUAL, SHORT = "duration: 5 minutes, slide: 30 seconds", "duration: 5 minutes, slide: 1 second"
# Windows that an event is in.
WINDOWS = {"30 s": 10, "1 s": 300}


def measured(setting):
    with open(os.path.join(ROOT, "scripts", "peers", "project", DOMAIN)) as file:
        domain = file.read()
    if domain.count(USUAL) != 1:
        raise Failed(f"{DOMAIN} does not say once: {USUAL}")
    rows = {}

    def run(project, slide, events, source):
        project.fresh()
        result = project.run("run", "--until-idle", "--close-windows", "--input", f"purchase={source}")
        rows[slide] = project.check("q2", events * WINDOWS[slide])
        return result

    lines = ["| events | into | 30 s, s | 1 s, s | times as long | 30 s, CPU s | 1 s, CPU s | times the CPU |",
             "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for events in (setting.events // 5, setting.events):
        source = setting.purchases("ndjson", events)
        for into, settings in (("SQLite", []), ("an NDJSON file", ["-e", "files"])):
            usual = Project(setting, "slides-30", "peers/project", "q2", settings)
            short = Project(setting, "slides-1", "peers/project", "q2", settings, files=[(DOMAIN, domain.replace(USUAL, SHORT))])
            results = pairs(setting.rounds, lambda: run(short, "1 s", events, source), lambda: run(usual, "30 s", events, source))
            shorts, usuals = zip(*results)
            lines.append(
                f"| {events:,} | {into} | {median(usuals, seconds):.2f} | {median(shorts, seconds):.2f} | {ratio(results, seconds)} | "
                f"{median(usuals, cpu):.2f} | {median(shorts, cpu):.2f} | {ratio(results, cpu)} |")
    return ["Q2 (the last five minutes of each category) from an NDJSON file: an event is in "
            f"{' or '.join(str(number) for number in WINDOWS.values())} windows, the answer has "
            f"{' or '.join(f'{number:,}' for number in (rows['30 s'], rows['1 s']))} rows, however many events there are. "
            "Target: less than 2 times the cost.", "", *lines]
