"""A server that does what a path says, also what no server should. It ends when its input does.

Arguments: certificate file, key file; their folder goes with it. It prints the port of HTTP and the port of HTTPS.
"""
import json
import os
import shutil
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    counts = {}
    lock = threading.Lock()

    def log_message(self, *_):
        pass

    def answer(self, body, status=200, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_any(self):
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        word, _, rest = parts.path[1:].partition("/")
        with self.lock:
            self.counts[self.path] = self.counts.get(self.path, 0) + 1
        if word == "echo":
            facts = {
                "method": self.command, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()},
                "length": len(body), "body": body[:100].decode("latin-1"), "port": self.client_address[1],
            }
            self.answer(json.dumps(facts).encode())
        elif word == "same":
            self.answer(body)
        elif word == "status":
            self.answer(b"said no", int(rest), [("X-Two", "a"), ("x-two", "b"), ("X-Empty", "")])
        elif word == "redirect":
            self.answer(b"", 302, [("Location", "/echo")])
        elif word == "bytes":
            self.answer(bytes(range(256)) * (int(rest) // 256))
        elif word == "chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
        elif word == "slow":
            time.sleep(int(rest) / 1000)
            self.answer(b"late")
        elif word == "silent":
            # Nothing, and the connection is lost.
            self.close_connection = True
        elif word == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
            self.close_connection = True
        elif word == "cut-status":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            self.close_connection = True
        elif word == "cut-headers":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n")
            self.close_connection = True
        elif word == "cut-in-header":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/pl")
            self.close_connection = True
        elif word == "cut-after-interim":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-")
            self.close_connection = True
        elif word == "only-interim":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.close_connection = True
        elif word == "cut-chunk":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nonly this")
            self.close_connection = True
        elif word == "garbage":
            self.wfile.write(b"\x00\x01\x02 this is not HTTP\r\n\r\n")
            self.close_connection = True
        elif word == "bad-status":
            self.wfile.write(b"HTTP/9.9 what\r\n\r\n")
            self.close_connection = True
        elif word == "many-headers":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"x" * 1000) for i in range(2000)))
            self.wfile.write(b"Content-Length: 0\r\n\r\n")
        elif word == "count":
            with self.lock:
                self.answer(str(self.counts.get("/" + rest, 0)).encode())

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_LIST = handle_any


def serve(context=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
print(serve(), serve(context), flush=True)
sys.stdin.read()
shutil.rmtree(os.path.dirname(sys.argv[1]), ignore_errors=True)
