"""A certificate authority of a test's own and a Redis that speaks TLS."""

import subprocess
from pathlib import Path

from tests.servers import Redis, free_port


def make_certificates(folder: Path) -> None:
    """Write `ca.crt`, and `server.crt` and `server.key` for 127.0.0.1, signed by it."""
    folder.mkdir()
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    new += ["-nodes", "-days", "2"]
    ca = [folder / "ca.crt", folder / "ca.key"]
    _run([*new, "-subj", "/CN=test authority", "-keyout", ca[1], "-out", ca[0]])
    signed = ["-CA", ca[0], "-CAkey", ca[1], "-addext", "subjectAltName=IP:127.0.0.1"]
    signed += ["-addext", "basicConstraints=critical,CA:FALSE"]
    keys = ["-keyout", folder / "server.key", "-out", folder / "server.crt"]
    _run([*new, "-subj", "/CN=redis", *signed, *keys])


def _run(command: list[str | Path]) -> None:
    subprocess.run(command, check=True, capture_output=True)


class TlsRedis(Redis):
    """Takes strangers on `tls_port` by TLS only; `port` is for the test's own questions."""

    def __init__(self, folder: Path, certificates: Path) -> None:
        self.tls_port = free_port()
        super().__init__(
            folder,
            f"tls-port {self.tls_port}",
            f"tls-cert-file {certificates / 'server.crt'}",
            f"tls-key-file {certificates / 'server.key'}",
            f"tls-ca-cert-file {certificates / 'ca.crt'}",
            "tls-auth-clients no",
        )
