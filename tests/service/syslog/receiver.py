"""A small syslog server over TLS (RFC 5425): each message becomes a line of JSON in a file.

    python receiver.py PORT CERTIFICATE KEY AUTHORITIES OUT

A line is written before the next is read, so that a server that is killed has what it had read.
"""

import json
import os
import socketserver
import ssl
import sys


class Session(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self):
        with self.server.tls.wrap_socket(self.request, server_side=True) as secure:
            secure.settimeout(30)
            with secure.makefile("rb") as stream:
                while count := _count(stream):
                    self.server.keep(stream.read(count))
            secure.unwrap()  # answers close_notify


def _count(stream):
    """Read the octet count and the space after it (RFC 5425 4.3); 0 at the end."""
    digits = b""
    while (byte := stream.read(1)) not in {b" ", b""}:
        if not byte.isdigit():
            message = f"{digits + byte!r} is no octet count"
            raise ValueError(message)
        digits += byte
    return int(digits or b"0")


class Receiver(socketserver.ThreadingTCPServer):
    """The server."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port, certificate, key, authorities, out):
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate, key)
        self.tls.load_verify_locations(authorities)
        self.tls.verify_mode = ssl.CERT_REQUIRED
        self.out = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        super().__init__(("127.0.0.1", port), Session)

    def keep(self, message):
        os.write(self.out, json.dumps(message.decode("utf-8")).encode() + b"\n")

    def handle_error(self, request, client_address):
        """Say nothing: tests look at what came."""


def main():
    port, *files = sys.argv[1:]
    Receiver(int(port), *files).serve_forever()


if __name__ == "__main__":
    main()
