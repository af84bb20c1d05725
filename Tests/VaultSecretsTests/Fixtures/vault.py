"""Runs OpenBao and what stands around it, and carries out commands: one JSON object a line, one JSON answer a line.

Arguments: the program `bao`, a folder for its files, the root token. It ends, with all that it started and the folder,
when its input does.

{"start": {"tls": bool}}                        → {"server", "address", "ca"}: a server in memory
{"kill": server}                                → {}
{"call": [server, method, path, body, headers]} → {"status", "body"}: one request with the root token
{"fakes": true}                                 → {"fake", "proxy", "reviews"}: addresses, see below
{"requests": prefix}                            → {"count"}: how many requests for such a path the proxy saw
"""
import base64
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BAO, FOLDER, ROOT = sys.argv[1:4]
servers = {}
seen = []


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(tls):
    number = len(servers)
    port = free_port()
    folder = os.path.join(FOLDER, str(number))
    os.mkdir(folder)
    arguments = [BAO, "server", f"-dev-listen-address=127.0.0.1:{port}", f"-dev-root-token-id={ROOT}", "-dev-no-store-token"]
    arguments += ["-dev-tls", f"-dev-tls-cert-dir={folder}"] if tls else ["-dev"]
    with open(os.path.join(folder, "log"), "wb") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log, env={**os.environ, "HOME": folder})
    address = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    servers[number] = (process, address)
    for _ in range(200):
        try:
            if call(number, "GET", "sys/health", None, {})["status"] == 200:
                break
        except OSError:
            time.sleep(0.05)
    else:
        raise RuntimeError("OpenBao does not answer")
    ca = next((os.path.join(folder, name) for name in os.listdir(folder) if name.endswith("-ca.pem")), None)
    return {"server": number, "address": address, "ca": ca}


def call(number, method, path, body, headers):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    request = urllib.request.Request(
        f"{servers[number][1]}/v1/{path}", method=method, data=None if body is None else json.dumps(body).encode(),
        headers={"X-Vault-Token": ROOT, **headers})
    try:
        with urllib.request.urlopen(request, context=context) as response:
            text = response.read()
            return {"status": response.status, "body": json.loads(text) if text else {}}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "body": json.loads(error.read() or b"{}")}


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))


class Proxy(Quiet):
    """Passes everything to the first server and remembers the paths."""

    def handle_any(self):
        body = self.body()
        seen.append(self.path)
        connection = http.client.HTTPConnection(servers[0][1].split("//")[1])
        kept = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "content-length")}
        connection.request(self.command, self.path, body, kept)
        response = connection.getresponse()
        self.answer(response.status, response.read())
        connection.close()

    do_GET = do_POST = handle_any


class Fake(Quiet):
    """A server that misbehaves as the first word of the path says."""

    def handle_any(self):
        sent = self.body().decode() + " " + self.headers.get("X-Vault-Token", "")
        word = self.path.split("/")[1]
        if word == "html":
            self.answer(200, b"<html>hello</html>")
        elif word == "html403":
            self.answer(403, b"<html>no</html>")
        elif word == "empty":
            self.answer(200, b"{}")
        elif word == "array":
            self.answer(200, b"[1, 2]")
        elif word == "cut":
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"data": {"ttl"')
            self.close_connection = True
        elif word == "garbage":
            self.wfile.write(b"\x16\x03\x01\x00\x00garbage\r\n\r\n")
            self.close_connection = True
        elif word == "long":
            self.answer(200, b'{"data":"' + b"x" * (5 << 20) + b'"}')
        elif word == "slow":
            time.sleep(5)
            self.answer(200, b"{}")
        elif word == "redirect":
            self.answer(307, b"", [("Location", "http://127.0.0.1:1/v1/")])
        elif word == "status":
            # It says back what it was sent, as no server should.
            status = int(self.path.split("/")[2])
            self.answer(status, json.dumps({"errors": [f"bad\n\tday {sent}"]}).encode())
        elif word == "uninitialized":
            self.answer(501, b"{}")

    do_GET = do_POST = handle_any


class Reviews(Quiet):
    """Kubernetes' TokenReview for service accounts whose token says `good`."""

    def do_POST(self):
        review = json.loads(self.body())
        claims = json.loads(base64.urlsafe_b64decode(review["spec"]["token"].split(".")[1] + "=="))
        status = {"authenticated": claims.get("word") == "good"}
        if status["authenticated"]:
            status["user"] = {
                "username": "system:serviceaccount:data:streamplat", "uid": "u1",
                "groups": ["system:serviceaccounts", "system:serviceaccounts:data"],
            }
        else:
            status["error"] = "invalid bearer token"
        self.answer(201, json.dumps(
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}).encode(),
            [("Content-Type", "application/json")])


def serve(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def carry_out(command):
    if "start" in command:
        return start(command["start"]["tls"])
    if "kill" in command:
        servers[command["kill"]][0].kill()
        servers[command["kill"]][0].wait()
        return {}
    if "call" in command:
        return call(*command["call"])
    if "fakes" in command:
        return {"fake": serve(Fake), "proxy": serve(Proxy), "reviews": serve(Reviews)}
    return {"count": sum(path.startswith(command["requests"]) for path in seen)}


try:
    for line in sys.stdin:
        try:
            reply = carry_out(json.loads(line))
        except Exception as error:
            reply = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)
finally:
    for process, _ in servers.values():
        process.kill()
        process.wait()
    shutil.rmtree(FOLDER, ignore_errors=True)
