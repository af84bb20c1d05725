"""Half a million rows and more into ClickHouse, beside the same bytes sent by curl."""
import os
import subprocess

from setting import Failed, Project, line, median, pairs, processor_seconds, seconds

TITLE = "Into ClickHouse"
SERVER = """
sinks:
  primary:
    type: clickhouse
    clickhouse:
      { urls: "http://127.0.0.1:%s", database: targets, create_database: true, user: streamplat,
        password: "$<secret:CLICKHOUSE_PASSWORD>" }
"""
TABLE = "targets.q5"


def measured(setting):
    settings = setting.services("clickhouse")
    url = f"http://127.0.0.1:{settings['CLICKHOUSE_PORT']}/"
    process = setting.service_process("clickhouse")
    folder = os.path.join(setting.folder, "clickhouse")
    os.makedirs(folder, exist_ok=True)
    # A password among the arguments would be everybody's to read.
    login = os.path.join(folder, "login")
    with open(os.open(login, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f'header = "X-ClickHouse-User: streamplat"\nheader = "X-ClickHouse-Key: {settings["CLICKHOUSE_PASSWORD"]}"\n')

    def ask(statement, out=None):
        done = subprocess.run(["curl", "-sS", "--fail-with-body", "-K", login, "--data-binary", "@-", url], capture_output=True,
                              input=statement.encode(), check=False)
        if done.returncode != 0:
            raise Failed(f"ClickHouse: {done.stdout.decode(errors='replace')}{done.stderr.decode(errors='replace')}")
        if out is not None:
            with open(out, "wb") as file:
                file.write(done.stdout)
            return None
        return done.stdout.decode().strip()

    ask("DROP DATABASE IF EXISTS targets")
    source = setting.purchases("ndjson", min(setting.events, 1_000_000))
    project = Project(setting, "clickhouse", "peers/project", "q5", ["-e", "server"],
                      {"CLICKHOUSE_PASSWORD": settings["CLICKHOUSE_PASSWORD"]},
                      [("environments/server.yaml", SERVER % settings["CLICKHOUSE_PORT"])])
    files = Project(setting, "clickhouse-files", "peers/project", "q5", ["-e", "files"])
    used = {"ours": [], "bare": []}

    def inserts():
        return int(ask("SELECT sum(value) FROM system.events WHERE event = 'InsertQuery'") or 0)

    def run():
        project.fresh()
        ask(f"TRUNCATE TABLE {TABLE}")
        before = processor_seconds(process)
        result = project.run("run", "--until-idle", "--close-windows", "--input", f"purchase={source}")
        used["ours"].append(processor_seconds(process) - before)
        return result

    before = inserts()
    run()
    # Some are of small tables of the sink's own.
    batches = max(1, inserts() - before)
    rows = int(ask(f"SELECT count() FROM {TABLE}"))
    ask("DROP TABLE IF EXISTS targets.bare")
    ask(f"CREATE TABLE targets.bare AS {TABLE}")
    size = rows // batches + 1
    arguments = ["curl", "-sS", "--fail-with-body", "-K", login]
    for number in range(batches):
        file = os.path.join(folder, f"{number}.rowbinary")
        ask(f"SELECT * FROM {TABLE} ORDER BY _version LIMIT {number * size}, {size} FORMAT RowBinary", file)
        # One curl, so one connection, for all of them.
        arguments += ["--next", "-sS", "--fail-with-body", "-K", login] if number else []
        arguments += ["--data-binary", f"@{file}", f"{url}?query=INSERT%20INTO%20targets.bare%20FORMAT%20RowBinary"]

    def bare():
        ask("TRUNCATE TABLE targets.bare")
        before = processor_seconds(process)
        result = setting.run(*arguments)
        used["bare"].append(processor_seconds(process) - before)
        return result

    def into_file():
        files.fresh()
        return files.run("run", "--until-idle", "--close-windows", "--input", f"purchase={source}")

    used["ours"].clear()
    results = pairs(setting.rounds, bare, run)
    beside = pairs(setting.rounds, into_file, run)
    counts = [ask(f"SELECT count() FROM {table}") for table in (TABLE, "targets.bare")]
    if counts != [str(rows)] * 2:
        raise Failed(f"the tables hold {' and '.join(counts)} rows instead of {rows}")

    more = median(beside, lambda pair: pair[1].seconds - pair[0].seconds)
    return [
        f"Q5 over a million events from an NDJSON file: {rows:,} rows in {batches} inserts; all of `streamplat run` beside curl, which sends the "
        f"same rows in as many requests of RowBinary. ClickHouse {ask('SELECT version()')}.", "",
        "| what | s | rows/s | CPU, s | CPU of the server, s |", "| --- | ---: | ---: | ---: | ---: |",
        line("streamplat, reading and counting among it", [second for _, second in results], used["ours"], rows, ",.0f"),
        line("curl", [first for first, _ in results], used["bare"], rows, ",.0f"), "",
        f"The same into an NDJSON file takes {median([file for file, _ in beside], seconds):.2f} s: ClickHouse adds {more:.2f} s to a run, "
        f"{more / median([first for first, _ in results], seconds):.2f} of what curl takes with ready bytes. Target: limited by the server.",
    ]
