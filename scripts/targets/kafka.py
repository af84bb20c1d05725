"""Q1 from Kafka, beside a consumer that counts messages and does nothing else."""
import os
import shutil
import subprocess
import time

from setting import HERE, Failed, Project, line, median, processor_seconds, ratio, same, seconds

TITLE = "From Kafka"
BROKER = """
broker:
  type: kafka
  kafka: { bootstrap_servers: "127.0.0.1:%s" }
"""
PARTITIONS = 4
# The broker that the measurement runs with keeps all of a topic in memory and answers a fetch with all that is there.
MOST_EVENTS = 1_000_000
OURS = "Q1 into SQLite"
# librdkafka's settings of the consumer: those of streamplat (KafkaSettings and KafkaReadAhead in Sources/KafkaClient), as much
# ahead as there is, and short waits at a partition's end and where its queue is full.
CONSUMERS = {
    "the consumer, streamplat's settings": [
        "queued.max.messages.kbytes=8192", "fetch.wait.max.ms=100", "isolation.level=read_committed"],
    "the consumer, queues without bound": ["queued.max.messages.kbytes=1000000", "queued.min.messages=10000000"],
    "the consumer, short waits": [
        "queued.max.messages.kbytes=8192", "fetch.wait.max.ms=10", "fetch.error.backoff.ms=10"],
}


def settle(process):
    """Waits until the broker has written what it keeps: it begins with that a second after the offsets of a group came."""
    for _ in range(20):
        used = processor_seconds(process)
        time.sleep(1.5)
        if processor_seconds(process) - used < 0.05:
            return
    raise Failed("the broker does not come to rest")


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
    used = {name: [] for name in (OURS, *CONSUMERS)}

    def run():
        project.fresh()
        result = project.run("run", "--until-idle", "--close-windows", "--from-earliest")
        project.check("q1", events)
        return result

    def consumed(given):
        result = setting.run(consumer, f"127.0.0.1:{settings['KAFKA_PORT']}", topic, str(PARTITIONS), *given)
        same("messages that the consumer counts", setting.output().split()[0], str(events))
        return result

    runs = {name: [] for name in used}
    for number in range(setting.rounds):
        # The order changes from round to round, and streamplat stands between two consumers.
        names = [*CONSUMERS][number % len(CONSUMERS):] + [*CONSUMERS][:number % len(CONSUMERS)]
        for name in [names[0], OURS, *names[1:]]:
            settle(process)
            before = processor_seconds(process)
            runs[name].append(run() if name == OURS else consumed(CONSUMERS[name]))
            used[name].append(processor_seconds(process) - before)
    fastest = min(CONSUMERS, key=lambda name: median(runs[name], seconds))

    return [
        f"{events:,} purchases (Avro, lz4) in {PARTITIONS} partitions of noida-db, an emulator of a broker; the consumer is "
        "`scripts/targets/consume.c`: librdkafka's batches counted in C, a queue a partition. All run one after the other in each "
        "round, each when the broker has written what it keeps.", "",
        "| what | s | M events/s | CPU, s | CPU of the broker, s |", "| --- | ---: | ---: | ---: | ---: |",
        *(line(name, runs[name], used[name], events / 1e6, ".2f") for name in runs), "",
        f"streamplat reaches {ratio(list(zip(runs[fastest], runs[OURS])), seconds)} of the speed of the fastest ({fastest}). "
        "Target: 0.6.",
    ]
