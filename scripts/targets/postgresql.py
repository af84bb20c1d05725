"""Half a million rows and more into PostgreSQL, beside the same rows by psql: staged binary COPY and a merge."""
import os
import subprocess

from setting import Failed, Project, line, pairs, processor_seconds, ratio, same, seconds

TITLE = "Into PostgreSQL"
SERVER = """
sinks:
  primary:
    type: postgresql
    postgresql:
      { host: 127.0.0.1, port: %s, database: targets, create_database: true, user: streamplat,
        password: "$<secret:POSTGRES_PASSWORD>", tls_mode: disable }
"""
TABLE = "q5"


class Server:
    def __init__(self, settings, setting):
        self.more = {"PGHOST": "127.0.0.1", "PGPORT": settings["POSTGRES_PORT"], "PGUSER": "streamplat", "PGDATABASE": "postgres",
                     "PGPASSWORD": settings["POSTGRES_PASSWORD"]}
        self.pid = setting.service_process("postgres")

    def ask(self, statement):
        done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement], env=dict(os.environ, **self.more),
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"psql: {done.stderr}")
        return done.stdout.strip()

    def processor_seconds(self):
        """Of the server and of all it has started, ended ones among them."""
        with open(f"/proc/{self.pid}/stat") as stat:
            ended = sum(map(int, stat.read().rsplit(")", 1)[1].split()[13:15])) / os.sysconf("SC_CLK_TCK")
        with open(f"/proc/{self.pid}/task/{self.pid}/children") as children:
            return ended + processor_seconds(self.pid) + sum(processor_seconds(int(child)) for child in children.read().split())


def measured(setting):
    settings = setting.services("postgres")
    server = Server(settings, setting)
    server.ask("DROP DATABASE IF EXISTS targets WITH (FORCE)")
    events = min(setting.events, 1_000_000)
    source = setting.purchases("ndjson", events)
    project = Project(setting, "postgresql", "peers/project", "q5", ["-e", "server"],
                      {"POSTGRES_PASSWORD": settings["POSTGRES_PASSWORD"]},
                      [("environments/server.yaml", SERVER % settings["POSTGRES_PORT"])])
    server.more["PGDATABASE"] = "targets"
    used = {"ours": [], "bare": []}

    def check(table):
        same(f"the events of {table}", server.ask(f"SELECT sum(events) FROM {table}"), str(events))

    def run():
        project.fresh()
        # As the table was before its first row.
        server.ask(f"TRUNCATE {TABLE}; DELETE FROM streamplat_writers; CHECKPOINT")
        before = server.processor_seconds()
        result = project.run("run", "--until-idle", "--close-windows", "--input", f"purchase={source}")
        used["ours"].append(server.processor_seconds() - before)
        check(TABLE)
        return result

    # How many transactions, and the rows of each about as they came: by windows, the users of one in no order. In the table they
    # lie in the order of the key, by which the sink has had them sorted: psql's server would be spared that.
    run()
    batches = int(server.ask(f"SELECT count(DISTINCT xmin::text) FROM {TABLE}"))
    rows = int(server.ask(f"SELECT count(*) FROM {TABLE}"))
    folder = os.path.join(setting.folder, "postgresql")
    os.makedirs(folder, exist_ok=True)
    columns = server.ask(f"SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute "
                         f"WHERE attrelid = '{TABLE}'::regclass AND attnum > 0 AND NOT attisdropped")
    keys = server.ask(f"SELECT string_agg(quote_ident(attname), ', ') FROM pg_index JOIN pg_attribute ON attrelid = indrelid "
                      f"AND attnum = ANY (indkey) WHERE indrelid = '{TABLE}'::regclass AND indisunique")
    values = [column for column in columns.split(", ") if column not in keys.split(", ")]
    script = [f"CREATE TEMP TABLE stage (LIKE {TABLE});"]
    for number in range(batches):
        file = os.path.join(folder, f"{number}.copy")
        with open(file, "wb") as out:
            subprocess.run(["psql", "-Xq", "-c",
                            f"COPY (SELECT * FROM {TABLE} ORDER BY xmin::text::bigint, window_start, hashtext(user_id) "
                            f"LIMIT {rows} / {batches} + 1 OFFSET {number} * ({rows} / {batches} + 1)) TO STDOUT (FORMAT binary)"],
                           env=dict(os.environ, **server.more), stdout=out, check=True)
        script += ["BEGIN;", "TRUNCATE stage;", f"\\copy stage FROM '{file}' (FORMAT binary)",
                   f"INSERT INTO bare SELECT * FROM stage ON CONFLICT ({keys}) DO UPDATE SET "
                   + ", ".join(f"{column} = excluded.{column}" for column in values) + ";", "COMMIT;"]
    with open(os.path.join(folder, "bare.sql"), "w") as file:
        file.write("\n".join(script) + "\n")
    server.ask(f"DROP TABLE IF EXISTS bare; CREATE TABLE bare (LIKE {TABLE} INCLUDING ALL)")

    def bare():
        server.ask("TRUNCATE bare; CHECKPOINT")
        before = server.processor_seconds()
        result = setting.run("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f", os.path.join(folder, "bare.sql"), more=server.more)
        used["bare"].append(server.processor_seconds() - before)
        check("bare")
        return result

    used["ours"].clear()
    results = pairs(setting.rounds, bare, run)
    for one, other in (("bare", TABLE), (TABLE, "bare")):
        same(f"rows of {one} that {other} lacks", server.ask(f"SELECT count(*) FROM (TABLE {one} EXCEPT ALL TABLE {other}) AS more"), "0")

    return [
        f"Q5 over {events:,} events from an NDJSON file: {rows:,} rows in {batches} transactions; all of `streamplat run` beside psql, which "
        "gets the rows ready in files of COPY's binary format.", "",
        "| what | s | rows/s | CPU, s | CPU of the server, s |", "| --- | ---: | ---: | ---: | ---: |",
        line("streamplat, reading and counting among it", [second for _, second in results], used["ours"], rows, ",.0f"),
        line("psql", [first for first, _ in results], used["bare"], rows, ",.0f"), "",
        f"streamplat reaches {ratio(results, seconds)} of psql's speed. Target: 0.8.",
    ]
