"""Rows a second into SQLite: many groups, each row an upsert."""
import os
import sqlite3

from setting import Project, cpu, median, pairs, seconds

TITLE = "Into SQLite"


def measured(setting):
    source = setting.purchases("ndjson", min(setting.events, 1_000_000))
    tables, files = (Project(setting, f"sqlite-{name}", "peers/project", "q5", more)
                     for name, more in (("tables", []), ("files", ["-e", "files"])))

    def run(project):
        project.fresh()
        return project.run("run", "--until-idle", "--close-windows", "--input", f"purchase={source}")

    results = pairs(setting.rounds, lambda: run(files), lambda: run(tables))
    # The order of pairs changes: the last to run was one of both.
    if not os.path.exists(os.path.join(tables.folder, ".streamplat", "results.db")):
        run(tables)
    database = sqlite3.connect(f"file:{tables.folder}/.streamplat/results.db?mode=ro", uri=True)
    rows = database.execute("SELECT count(*) FROM q5").fetchone()[0]
    database.close()
    into, without = [second for _, second in results], [first for first, _ in results]
    more = median(into, seconds) - median(without, seconds)
    return [
        f"Q5 over a million events from an NDJSON file, {rows:,} rows: {median(into, seconds):.2f} s and {median(into, cpu):.2f} s of CPU into "
        f"SQLite, {median(without, seconds):.2f} s and {median(without, cpu):.2f} s into an NDJSON file. So {rows / median(into, seconds):,.0f} "
        f"rows a second of the whole run, {rows / more:,.0f} of what SQLite adds to it. Target: 200,000 upserts a second.",
    ]
