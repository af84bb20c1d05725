"""Q1 from Kafka, beside a consumer that counts messages and does nothing else."""
import os
import shutil
import sqlite3
import subprocess

from setting import HERE, Failed, Project, line, pairs, processor_seconds, ratio, seconds

TITLE = "From Kafka"
BROKER = """
broker:
  type: kafka
  kafka: { bootstrap_servers: "127.0.0.1:%s" }
"""
PARTITIONS = 4
# The broker that the measurement runs with keeps all of a topic in memory and answers a fetch with all that is there.
MOST_EVENTS = 1_000_000


def measured(setting):
    # The broker reads all that it has kept before it answers.
    shutil.rmtree(os.path.join(setting.folder, "services", "kafka"), ignore_errors=True)
    settings = setting.services("kafka")
    events = min(setting.events, MOST_EVENTS)
    consumer = os.path.join(setting.folder, "consume")
    subprocess.run(["gcc", "-O2", "-o", consumer, os.path.join(HERE, "consume.c"), "-lrdkafka"], check=True)
    project = Project(setting, "kafka", "peers/project", "q1", ["-e", "server"], None,
                      [("environments/server.yaml", BROKER % settings["KAFKA_PORT"])])
    topic, process = "q1.purchase", setting.service_process("kafka")
    project.fresh()
    setting.run(setting.binary, "ingest", "purchase", setting.purchases("ndjson", events), "--domain", "q1",
                "--timestamp-format", "epoch_ms", *project.settings, folder=project.folder)
    used = {"ours": [], "bare": []}

    def run():
        project.fresh()
        before = processor_seconds(process)
        result = project.run("run", "--until-idle", "--close-windows", "--from-earliest")
        used["ours"].append(processor_seconds(process) - before)
        database = sqlite3.connect(f"file:{project.folder}/.streamplat/results.db?mode=ro", uri=True)
        counted = database.execute("SELECT sum(events) FROM q1").fetchone()[0]
        database.close()
        if counted != events:
            raise Failed(f"the table counts {counted} events instead of {events}")
        return result

    def bare():
        before = processor_seconds(process)
        result = setting.run(consumer, f"127.0.0.1:{settings['KAFKA_PORT']}", topic, str(PARTITIONS))
        used["bare"].append(processor_seconds(process) - before)
        if setting.output().split()[0] != str(events):
            raise Failed(f"the consumer counts {setting.output()}instead of {events}")
        return result

    results = pairs(setting.rounds, bare, run)

    return [
        f"{events:,} purchases (Avro, lz4) in {PARTITIONS} partitions of noida-db, an emulator of a broker; the consumer is "
        "`scripts/targets/consume.c`, librdkafka's batches counted in C.", "",
        "| what | s | M events/s | CPU, s | CPU of the broker, s |", "| --- | ---: | ---: | ---: | ---: |",
        line("Q1 into SQLite", [second for _, second in results], used["ours"], events / 1e6, ".2f"),
        line("the consumer", [first for first, _ in results], used["bare"], events / 1e6, ".2f"), "",
        f"streamplat reaches {ratio(results, seconds)} of the consumer's speed. Target: 0.6.",
    ]
