"""A ClickHouse engine of today behind as much of ClickHouse's HTTP interface as the sink speaks.

    chdb_front.py --port 18123 --path DIR [--user default]        the password: environment variable FRONT_PASSWORD

The engine is chdb's: statements, types, formats, settings and error codes are ClickHouse's own. The HTTP interface is ours,
after ClickHouse's documentation: what is tried here says nothing about the protocol of a real server.

Each request has a connection of its own to the one engine, so that settings of its URL end with it. Rows of an insert go
through a file, because the engine takes statements as text.
"""
import argparse
import gzip
import hmac
import json
import os
import re
import signal
import sys
import tempfile
import threading
import urllib.parse
import uuid
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import chdb

# Parameters of a URL that are no settings of the engine.
PARAMETERS = {
    "query", "database", "default_format", "user", "password", "query_id", "wait_end_of_query", "buffer_size",
    "session_id", "compress", "send_progress_in_http_headers",
}
# Source: `exceptionCodeToHTTPStatus` of ClickHouse's HTTPHandler.
STATUS = {
    401: {194},
    403: {192, 193, 291, 497, 516},
    400: {6, 26, 27, 32, 33, 38, 41, 53, 62, 69, 70, 72, 117, 349, 452},
    404: {16, 46, 47, 50, 60, 63, 73, 81, 115},
    501: {48},
}
INSERT = re.compile(r"^\s*INSERT\s+INTO\s+(?P<target>.+)\s+FORMAT\s+(?P<format>\w+)\s*;?\s*$", re.I | re.S)
LITERAL = str.maketrans({"\\": "\\\\", "'": "\\'"})


def literal(text):
    return "'" + text.translate(LITERAL) + "'"


class Refusal(Exception):
    """An error in ClickHouse's words, which begin with its code."""

    @property
    def code(self):
        found = re.match(r"Code: (\d+)\.", str(self))
        return int(found[1]) if found else 1002

    @property
    def status(self):
        return next((status for status, codes in STATUS.items() if self.code in codes), 500)


class Engine:
    """One engine; requests come from several threads."""

    def __init__(self, path, folder):
        self.path = path
        self.folder = folder
        # The data stay open while one connection is.
        self.anchor = chdb.connect(path)
        self.version = self.anchor.query("SELECT version()", "TabSeparated").bytes().decode().strip()

    def run(self, sql, data, parameters):
        """The answer's bytes and the numbers of rows that were read and written."""
        connection = chdb.connect(self.path)
        file = None
        try:
            if parameters.get("database"):
                self.ask(connection, "USE `" + parameters["database"].replace("\\", "\\\\").replace("`", "\\`") + "`")
            # Last, because it forbids to set others.
            settings = sorted(parameters.items(), key=lambda pair: pair[0] == "readonly")
            for name, value in settings:
                if name not in PARAMETERS:
                    self.ask(connection, f"SET {name} = {literal(value)}")
            insert = INSERT.match(sql)
            if insert and data is not None:
                handle, file = tempfile.mkstemp(suffix=".rows", dir=self.folder)
                with os.fdopen(handle, "wb") as out:
                    out.write(data)
                sql = f"INSERT INTO {insert['target']} FROM INFILE {literal(file)} FORMAT {insert['format']}"
            elif data:
                sql += "\n" + data.decode(errors="replace")
            answer = self.ask(connection, sql, parameters.get("default_format", "TabSeparated"))
            return answer.bytes(), {"read_rows": str(answer.rows_read()), "written_rows": str(answer.rows_written())}
        finally:
            connection.close()
            if file:
                os.unlink(file)

    def ask(self, connection, sql, form="TabSeparated"):
        try:
            return connection.query(sql, form)
        except Exception as error:  # chdb's own class and RuntimeError, by release
            text = str(error)
            raise Refusal(text if "(version " in text else f"{text} (version {self.version} (official build))") from None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A small answer leaves with its headers, not 40 ms later.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if not url.query and url.path in ("/", "/ping"):
            return self.answer(200, b"Ok.\n")
        self.serve(url, b"", is_changing=False)

    def do_POST(self):
        try:
            body = self.body()
        except (OSError, EOFError, zlib.error) as error:
            self.close_connection = True
            return self.refuse(Refusal(f"Code: 354. DB::Exception: inflate failed: {error}. (ZLIB_INFLATE_FAILED)"))
        self.serve(urllib.parse.urlsplit(self.path), body, is_changing=True)

    def body(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw

    def serve(self, url, body, is_changing):
        try:
            self.check_user()
            parameters = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
            if not is_changing:
                # As in ClickHouse: GET only reads.
                parameters.setdefault("readonly", "2")
            if "query" in parameters:
                answer, summary = self.server.engine.run(parameters["query"], body or None, parameters)
            else:
                answer, summary = self.server.engine.run(body.decode(errors="replace"), None, parameters)
        except Refusal as refusal:
            return self.refuse(refusal)
        self.answer(200, answer, {"X-ClickHouse-Summary": json.dumps(summary)})

    def check_user(self):
        user = self.headers.get("X-ClickHouse-User", "default")
        password = self.headers.get("X-ClickHouse-Key", "")
        wanted = self.server.password
        if user != self.server.user or not hmac.compare_digest(password.encode(), wanted.encode()):
            raise Refusal(
                f"Code: 516. DB::Exception: {user}: Authentication failed: password is incorrect, or there is no user with "
                f"such name. (AUTHENTICATION_FAILED) (version {self.server.engine.version} (official build))")

    def refuse(self, refusal):
        self.answer(refusal.status, f"{refusal}\n".encode(), {"X-ClickHouse-Exception-Code": str(refusal.code)})

    def answer(self, status, body, headers={}):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Server-Display-Name", "chdb")
        self.send_header("X-ClickHouse-Query-Id", str(uuid.uuid4()))
        self.send_header("X-ClickHouse-Timezone", "UTC")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, form, *values):
        pass


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--path", required=True)
    arguments.add_argument("--user", default="default")
    options = arguments.parse_args()
    os.makedirs(options.path, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    server.daemon_threads = True
    server.user = options.user
    # Not an argument: others could read it in the list of processes.
    server.password = os.environ.get("FRONT_PASSWORD", "")
    server.engine = Engine(os.path.join(options.path, "data"), options.path)

    def stop(*_):
        # `shutdown` waits for the loop that this thread runs.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print(f"ClickHouse {server.engine.version} on port {options.port}", flush=True)
    server.serve_forever()
    server.engine.anchor.close()


if __name__ == "__main__":
    sys.exit(main())
