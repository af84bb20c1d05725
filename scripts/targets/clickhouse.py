"""Half a million rows and more into ClickHouse, beside the same bytes sent by curl."""
import os
import subprocess
import time

from setting import Failed, Project, line, median, processor_seconds, ratio, same, seconds, spread

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
    events = min(setting.events, 1_000_000)
    source = setting.purchases("ndjson", events)
    project = Project(setting, "clickhouse", "peers/project", "q5", ["-e", "server"],
                      {"CLICKHOUSE_PASSWORD": settings["CLICKHOUSE_PASSWORD"]},
                      [("environments/server.yaml", SERVER % settings["CLICKHOUSE_PORT"])])
    files = Project(setting, "clickhouse-files", "peers/project", "q5", ["-e", "files"])
    used = {"ours": [], "bare": []}

    def inserts():
        return int(ask("SELECT sum(value) FROM system.events WHERE event = 'InsertQuery'") or 0)

    def quiet():
        """The server has nothing left to do: both tables are empty, nothing is merged."""
        for table in (TABLE, "targets.bare"):
            ask(f"TRUNCATE TABLE IF EXISTS {table}")
        for _ in range(300):
            if ask("SELECT count() FROM system.merges") == "0":
                return
            time.sleep(0.1)
        raise Failed("ClickHouse merges for longer than half a minute")

    def served(side, measured):
        """Runs it, and keeps the processor time that the server took for it."""
        quiet()
        before = processor_seconds(process)
        result = measured()
        used[side].append(processor_seconds(process) - before)
        return result

    def check(table):
        same(f"the events of {table}", ask(f"SELECT sum(events) FROM {table}"), str(events))

    def counted(project):
        return project.run("run", "--until-idle", "--close-windows", "--input", f"purchase={source}")

    def run():
        project.fresh()
        result = served("ours", lambda: counted(project))
        check(TABLE)
        return result

    def into_file():
        files.fresh()
        quiet()
        result = counted(files)
        files.check("q5", events)
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
        result = served("bare", lambda: setting.run(*arguments))
        check("targets.bare")
        return result

    used["ours"].clear()
    rounds = []
    for number in range(setting.rounds):
        # The order changes from round to round.
        sides = [bare, into_file, run] if number % 2 else [run, into_file, bare]
        results = {side: side() for side in sides}
        rounds.append((results[bare], results[into_file], results[run]))
    # A last one of each, for the comparison: the rounds leave the table of the one before empty.
    project.fresh()
    quiet()
    counted(project)
    setting.run(*arguments)
    counts = [ask(f"SELECT count() FROM {table}") for table in (TABLE, "targets.bare")]
    if counts != [str(rows)] * 2:
        raise Failed(f"the tables hold {' and '.join(counts)} rows instead of {rows}")
    # The rows' versions are of two runs.
    columns = ask("SELECT arrayStringConcat(groupArray(name), ', ') FROM system.columns "
                  "WHERE database = 'targets' AND table = 'q5' AND name != '_version'")
    same("the sum of the hashes of curl's rows", *(ask(f"SELECT sum(cityHash64({columns})) FROM {table}")
                                                   for table in ("targets.bare", TABLE)))

    curl, file, ours = ([result[side] for result in rounds] for side in range(3))
    return [
        f"Q5 over {events:,} events from an NDJSON file: {rows:,} rows in {batches} inserts; all of `streamplat run` beside curl, which sends the "
        f"same rows in as many requests of RowBinary. ClickHouse {ask('SELECT version()')}.", "",
        "| what | s | rows/s | CPU, s | CPU of the server, s |", "| --- | ---: | ---: | ---: | ---: |",
        line("streamplat, reading and counting among it", ours, used["ours"], rows, ",.0f"),
        line("curl", curl, used["bare"], rows, ",.0f"), "",
        f"All of streamplat reaches {ratio(list(zip(curl, ours)), seconds)} of curl's speed. Into an NDJSON file it takes "
        f"{median(file, seconds):.2f} s; what it takes longer into ClickHouse is {spread([(mine.seconds - none.seconds) / bare.seconds for bare, none, mine in rounds])} "
        "of curl's time. Target: limited by the server, so about 1.",
    ]
