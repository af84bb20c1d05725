"""A Kafka broker that only knows how to refuse a user (SASL PLAIN), and repeats the password while doing so."""
import socket
import struct
import sys
import threading

API_VERSIONS, METADATA, SASL_HANDSHAKE, SASL_AUTHENTICATE = 18, 3, 17, 36


def string(text):
    return struct.pack(">h", len(text)) + text


def answer(api, version, body):
    if api == API_VERSIONS:
        kinds = [(METADATA, 0, 1), (SASL_HANDSHAKE, 0, 1), (API_VERSIONS, 0, 0), (SASL_AUTHENTICATE, 0, 0)]
        listed = b"".join(struct.pack(">hhh", *kind) for kind in kinds)
        return struct.pack(">hi", 0 if version == 0 else 35, len(kinds)) + listed
    if api == SASL_HANDSHAKE:
        return struct.pack(">hi", 0, 1) + string(b"PLAIN")
    if api == SASL_AUTHENTICATE:
        password = body.split(b"\0")[-1]
        return struct.pack(">h", 58) + string(b"wrong password: " + password) + struct.pack(">i", 0)
    raise ValueError(api)


def serve(client):
    def take(count):
        data = b""
        while len(data) < count:
            part = client.recv(count - len(data))
            if not part:
                raise ConnectionError
            data += part
        return data

    try:
        while True:
            message = take(struct.unpack(">i", take(4))[0])
            api, version, correlation, length = struct.unpack(">hhih", message[:10])
            reply = struct.pack(">i", correlation) + answer(api, version, message[10 + max(0, length):])
            client.sendall(struct.pack(">i", len(reply)) + reply)
    except (ConnectionError, ValueError):
        client.close()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
