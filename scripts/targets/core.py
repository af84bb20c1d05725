"""How many events a second one core counts: from an Avro container, and from the embedded log."""
from setting import Project, cpu, median

TITLE = "Events a second of a core"


def measured(setting):
    sizes = (setting.events // 5, setting.events)
    lines = ["| input | CPU of {:,}, s | of {:,}, s | M events/s of CPU | without the start |".format(*sizes),
             "| --- | ---: | ---: | ---: | ---: |"]
    for name, sides in (("Avro container", [from_container(setting, events) for events in sizes]),
                        ("embedded log", [from_log(setting, events) for events in sizes])):
        rounds = [[side() for side in sides] for _ in range(setting.rounds)]
        small, large = (median(runs, cpu) for runs in zip(*rounds))
        lines.append(f"| {name} | {small:.2f} | {large:.2f} | {sizes[1] / large / 1e6:.2f} | "
                     f"{(sizes[1] - sizes[0]) / (large - small) / 1e6:.2f} |")
    return ["Q1 into SQLite with one worker; CPU of whole processes. *Without the start*: the events between both sizes by the CPU "
            "between them. Target: 3 million a second.", "", *lines]


def counting(project, events, *arguments):
    """A function that runs Q1 in a fresh copy of the project."""
    def run():
        project.fresh()
        result = project.run("run", "--until-idle", "--close-windows", "--workers", "1", *arguments)
        project.check("q1", events)
        return result
    return run


def from_container(setting, events):
    return counting(Project(setting, "core-avro", "peers/project", "q1"), events, "--input",
                    f"purchase={setting.purchases('avro', events)}")


def from_log(setting, events):
    """What is ingested once lies in the log of every copy."""
    project = Project(setting, f"core-log-{events}", "peers/project", "q1")
    setting.run(setting.binary, "ingest", "purchase", setting.purchases("ndjson", events), "--domain", "q1",
                "--timestamp-format", "epoch_ms", folder=project.applied)
    return counting(project, events)
