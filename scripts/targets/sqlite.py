"""Rows a second into SQLite: many groups, each row an upsert."""
from setting import Project, cpu, median, pairs, same, seconds

TITLE = "Into SQLite"


def measured(setting):
    events = min(setting.events, 1_000_000)
    source = setting.purchases("ndjson", events)
    counts = []
    tables, files = (Project(setting, f"sqlite-{name}", "peers/project", "q5", more)
                     for name, more in (("tables", []), ("files", ["-e", "files"])))

    def run(project):
        project.fresh()
        result = project.run("run", "--until-idle", "--close-windows", "--input", f"purchase={source}")
        counts.append(project.check("q5", events))
        same("the rows", counts[-1], counts[0])
        return result

    results = pairs(setting.rounds, lambda: run(files), lambda: run(tables))
    rows = counts[0]
    into, without = [second for _, second in results], [first for first, _ in results]
    more = median(into, seconds) - median(without, seconds)
    return [
        f"Q5 over {events:,} events from an NDJSON file, {rows:,} rows: {median(into, seconds):.2f} s and {median(into, cpu):.2f} s of CPU into "
        f"SQLite, {median(without, seconds):.2f} s and {median(without, cpu):.2f} s into an NDJSON file. So {rows / median(into, seconds):,.0f} "
        f"rows a second of the whole run, {rows / more:,.0f} of what SQLite adds to it. Target: 200,000 upserts a second.",
    ]
