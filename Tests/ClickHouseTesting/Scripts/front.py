"""Stands between a client and a ClickHouse server and disturbs what passes, as the file `mode` says.

front.py PORT UPSTREAM_PORT FOLDER

`mode` holds a word and how many requests it is for; afterwards everything passes. Every request line and header goes
to `requests`, with the length of the body behind it.
"""

import http.client
import pathlib
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, upstream, folder = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
lock = threading.Lock()


def next_mode():
    with lock:
        path = folder / "mode"
        words = path.read_text().split() if path.exists() else []
        if not words or int(words[1]) <= 0:
            return "pass"
        path.write_text(f"{words[0]} {int(words[1]) - 1}")
        return words[0]


class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def cut(self):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        mode = next_mode()
        length = int(self.headers.get("Content-Length", 0))
        if mode == "cut_request":
            self.rfile.read(length // 2)
            return self.cut()
        body = self.rfile.read(length)
        with lock, open(folder / "requests", "a") as log:
            log.write(f"{self.requestline}\n{self.headers}body {length}\n")
        if mode == "garbage":
            return self.answer(200, b"<html>It works!</html>", [("Content-Type", "text/html")])
        if mode == "swallow":
            return self.answer(200, b"")
        if mode == "unavailable":
            return self.answer(503, b"upstream is away")
        if mode == "forbidden":
            return self.answer(403, b"no")
        if mode == "elsewhere":
            return self.answer(302, b"", [("Location", "http://127.0.0.1:1/")])
        if mode == "busy":
            return self.answer(500, b"Code: 252, e.displayText() = DB::Exception: Too many parts (300), e.what() = x")
        if mode == "modern":
            text = b"Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED) (version 24.3.1.1)\n"
            return self.answer(200, text, [("X-ClickHouse-Exception-Code", "241")])
        if mode == "quotes":
            text = b"Code: 27. DB::Exception: Cannot parse 'ROW-VALUE' (CANNOT_PARSE_INPUT_ASSERTION_FAILED) (version 24.3)"
            return self.answer(400, text)
        if mode == "delay":
            time.sleep(1.5)
        server = http.client.HTTPConnection("127.0.0.1", upstream)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        server.request("POST", self.path, body, headers)
        reply = server.getresponse()
        data = reply.read()
        if mode == "cut_answer":
            return self.cut()
        kept = [(k, v) for k, v in reply.getheaders() if k.lower().startswith(("x-", "content-type"))]
        self.answer(reply.status, data, kept)


ThreadingHTTPServer(("127.0.0.1", port), Front).serve_forever()
