"""TLS and a user's login (SASL PLAIN) in front of a Kafka broker that has neither.

secure_proxy.py PORT BROKER_PORT [--cert FILE --key FILE [--client-ca FILE] [--tls12]] [--user NAME --password TEXT]

What it passes on is unchanged but for one thing: where the broker tells its port (metadata, coordinators) it tells the
proxy's, so that clients come back here.
"""
import argparse
import select
import socket
import ssl
import struct
import threading

METADATA, FIND_COORDINATOR, SASL_HANDSHAKE, API_VERSIONS, SASL_AUTHENTICATE = 3, 10, 17, 18, 36

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("broker", type=int)
parser.add_argument("--cert")
parser.add_argument("--key")
parser.add_argument("--client-ca")
parser.add_argument("--tls12", action="store_true")
parser.add_argument("--user")
parser.add_argument("--password")
options = parser.parse_args()

context = None
if options.cert:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.cert, options.key)
    if options.tls12:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if options.client_ca:
        context.load_verify_locations(options.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED


def take(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


def take_message(connection):
    return take(connection, struct.unpack(">i", take(connection, 4))[0])


def send_message(connection, message):
    connection.sendall(struct.pack(">i", len(message)) + message)


def text(value):
    return struct.pack(">h", len(value)) + value


def broker_kinds():
    """The kinds of requests that the broker knows, without those of a login."""
    with socket.create_connection(("127.0.0.1", options.broker)) as broker:
        send_message(broker, struct.pack(">hhih", API_VERSIONS, 0, 0, -1))
        answer = take_message(broker)
    found = struct.iter_unpack(">hhh", answer[10:10 + 6 * struct.unpack(">i", answer[6:10])[0]])
    return [kind for kind in found if kind[0] not in (SASL_HANDSHAKE, SASL_AUTHENTICATE)]


def login(client):
    """Answers the login by itself; returns when the user is known."""
    while True:
        message = take_message(client)
        api, version, correlation, length = struct.unpack(">hhih", message[:10])
        body = message[10 + max(0, length):]
        head = struct.pack(">i", correlation)
        if api == API_VERSIONS:
            kinds = broker_kinds() + [(SASL_HANDSHAKE, 0, 1), (SASL_AUTHENTICATE, 0, 1)]
            listed = b"".join(struct.pack(">hhh", *kind) for kind in kinds)
            # A newer version of the question is answered in the oldest, with code 35, as Kafka does.
            send_message(client, head + struct.pack(">hi", 0 if version == 0 else 35, len(kinds)) + listed)
        elif api == SASL_HANDSHAKE:
            wanted = body[2:].decode()
            send_message(client, head + struct.pack(">hi", 0 if wanted == "PLAIN" else 33, 1) + text(b"PLAIN"))
        elif api == SASL_AUTHENTICATE:
            _, user, password = body[4:].split(b"\0")
            known = (user.decode(), password.decode()) == (options.user, options.password)
            reply = struct.pack(">h", 0 if known else 58) + (
                struct.pack(">h", -1) if known else text(b"Invalid username or password")) + struct.pack(">i", 0)
            send_message(client, head + reply + (struct.pack(">q", 0) if version == 1 else b""))
            if known:
                return
            raise ConnectionError
        else:
            raise ConnectionError


def serve(client):
    try:
        client = context.wrap_socket(client, server_side=True) if context else client
        if options.user:
            login(client)
        broker = socket.create_connection(("127.0.0.1", options.broker))
    except (ssl.SSLError, OSError):
        client.close()
        return
    old, new = (b"127.0.0.1" + struct.pack(">i", port) for port in (options.broker, options.port))
    asked = {}
    try:
        # One thread for both directions: OpenSSL's connections belong to one.
        while True:
            buffered = context is not None and client.pending() > 0
            ready = [client] if buffered else select.select([client, broker], [], [])[0]
            if client in ready:
                message = take_message(client)
                asked[message[4:8]] = struct.unpack(">h", message[:2])[0]
                send_message(broker, message)
            if broker in ready:
                message = take_message(broker)
                if asked.pop(message[:4], None) in (METADATA, FIND_COORDINATOR):
                    message = message.replace(old, new)
                send_message(client, message)
    except OSError:
        client.close()
        broker.close()


server = socket.create_server(("127.0.0.1", options.port))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
