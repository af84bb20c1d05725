"""How each side is started: streamplat in a fresh copy of its project, a peer with the Python of its environment."""
import os
import re
import shutil
import subprocess

from workloads import INTO_TABLES

HERE = os.path.dirname(os.path.abspath(__file__))
# Several files, or one.
WRITES_FOLDER = ("flink", "spark")


class Failed(Exception):
    """The comparison cannot go on."""


class Streamplat:
    """`apply` is done once; each run works in a copy of what it left: an empty log, no checkpoint, an empty table."""

    def __init__(self, binary, folder, queries):
        self.binary = binary
        self.applied, self.folder = os.path.join(folder, "applied"), os.path.join(folder, "run")
        for table in ("sqlite", "files"):
            project = f"{self.applied}-{table}"
            shutil.rmtree(project, ignore_errors=True)
            shutil.copytree(os.path.join(HERE, "project"), project)
            for query in queries:
                self.prepare(project, "apply", query, "--yes", *self.environment(table))

    def prepare(self, project, *arguments):
        """A command before the runs, which must succeed."""
        done = subprocess.run([self.binary, *arguments], cwd=project, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise Failed(f"streamplat {' '.join(arguments)} ended with {done.returncode}\n{done.stdout}{done.stderr}")

    def ingest(self, query, source):
        """Makes the project whose log has the file's events."""
        project = f"{self.applied}-log"
        shutil.rmtree(project, ignore_errors=True)
        shutil.copytree(f"{self.applied}-sqlite", project)
        self.prepare(project, "ingest", "purchase", source, "--domain", query, "--timestamp-format", "epoch_ms")

    @staticmethod
    def environment(table):
        return ["-e", "files"] if table == "files" else []

    def start(self, query, source, table):
        """(command, folder, place of the answer) of a run from an empty state; without a source it reads the log."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(f"{self.applied}-{table if source else 'log'}", self.folder)
        command = [self.binary, "run", query, "--until-idle", "--close-windows", *self.environment(table)]
        if source:
            command += ["--input", f"purchase={source}"]
        place = ".streamplat/results.db" if table == "sqlite" else f".streamplat/results/{query}.ndjson"
        return command, self.folder, os.path.join(self.folder, place)


class Peer:
    def __init__(self, name, folder):
        environment = name.removesuffix("-table")
        self.name, self.python = name, os.path.join(folder, environment, "bin", "python")
        self.out = os.path.join(folder, "answers", name)
        note = os.path.join(folder, f"{environment}.skipped")
        self.missing = None
        if os.path.exists(note):
            with open(note) as reason:
                self.missing = reason.read().strip()
        elif not os.path.exists(self.python):
            self.missing = "it is not installed: scripts/peers/environments.sh"

    def versions(self):
        with open(os.path.join(os.path.dirname(os.path.dirname(self.python)), "streamplat-packages")) as packages:
            return re.findall(r"(\S+)==(\S+)", packages.read())

    def start(self, query, source):
        """(command, environment, place of the answer) of a run; what the last one left is gone."""
        for left in (self.out, self.out + ".source", self.out + ".checkpoint"):
            shutil.rmtree(left, ignore_errors=True)
        for left in (self.out + ".ndjson", self.out + ".duckdb", self.out + ".duckdb.wal"):
            if os.path.exists(left):
                os.remove(left)
        place = self.out + (".duckdb" if self.name in INTO_TABLES else "" if self.name in WRITES_FOLDER else ".ndjson")
        environment = dict(os.environ, PATH=os.path.dirname(self.python) + ":" + os.environ["PATH"],
                           PYSPARK_PYTHON=self.python, PATHWAY_THREADS="2", PYTHONDONTWRITEBYTECODE="1")
        script = os.path.join(HERE, "queries", f"with_{self.name.removesuffix('-table')}.py")
        if self.name == "bytewax":
            environment.update(QUERY=query, SOURCE=source, OUT=place, PYTHONPATH=os.path.dirname(script))
            return [self.python, "-m", "bytewax.run", "with_bytewax:flow"], environment, place
        return [self.python, script, query, source, place], environment, place
