"""Two workers beside one: what an event costs, and how much sooner the answer is there."""
from setting import Project, cpu, median, pairs, ratio, seconds

TITLE = "Two workers"


def measured(setting):
    project = Project(setting, "workers", "peers/project", "q1")
    lines = ["| input | one worker, s | two, s | times as fast | CPU, two : one |", "| --- | ---: | ---: | ---: | ---: |"]
    for form in ("ndjson", "avro"):
        source = setting.purchases(form)

        def run(workers):
            project.fresh()
            result = project.run("run", "--until-idle", "--close-windows", "--workers", workers, "--input", f"purchase={source}")
            project.check("q1", setting.events)
            return result

        results = pairs(setting.rounds, lambda: run("1"), lambda: run("2"))
        lines.append(
            f"| {form} | {median([one for one, _ in results], seconds):.2f} | {median([two for _, two in results], seconds):.2f} | "
            f"{ratio(results, seconds)} | {ratio([(two, one) for one, two in results], cpu)} |")
    return [f"Q1 over {setting.events:,} events from a file into SQLite. Targets: 1.6 times as fast on two free cores, CPU at most "
            "1.25 times.", "", *lines]
