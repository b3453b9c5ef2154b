"""A TLS connection to a syslog server that is used once: messages out, then proof that they are in.

Syslog has no answers, so bytes that were sent say nothing: a server that dies leaves them in its
buffers, and one that refuses us closes after it let us in. What proves them is how the connection
ends. The server keeps it open while we do; we say that nothing more comes (close_notify), and then
it says the same, which it does when it has read all that came before.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from dicom_node.certificates import UnusableCertificate
from dicom_node.tls import ClientFiles, client_context

if TYPE_CHECKING:
    from collections.abc import Sequence

Proof = Literal["close_notify", "end"]
"""What is taken for proof: the server's close_notify, or also an end without one."""
HOLD_S = 0.5
"""A server that refuses us closes within this time."""


class NotTaken(Exception):  # noqa: N818 - it names the condition
    """The server did not prove that it has the messages; `code` is stable."""

    def __init__(self, code: str) -> None:
        """Say why."""
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class SyslogServer:
    """Where messages go. Files are read for each connection, so new certificates count at once."""

    host: str
    port: int = 6514
    files: ClientFiles = field(default_factory=ClientFiles)
    timeout_s: float = 10.0
    """For each of connection, handshake, messages and proof."""
    proof: Proof = "close_notify"

    @property
    def name(self) -> str:
        """Return host and port."""
        return f"{self.host}:{self.port}"

    def send(self, frames: Sequence[bytes]) -> None:
        """Send frames over a connection of their own, in order.

        Raises:
            NotTaken: they may not be there; the code is UNUSABLE_CERTIFICATE, NO_CONNECTION, TLS,
                TIMEOUT, REFUSED where the server closed first, and NOT_PROVEN where everything
                went out and no proof came back.

        """
        try:
            context = client_context(self.files)
            with socket.create_connection((self.host, self.port), self.timeout_s) as plain:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                name = self.files.server_name or self.host
                with context.wrap_socket(plain, server_hostname=name) as secure:
                    secure.sendall(b"".join(frames))
                    self._hold(secure)
                    self._prove(secure)
        except UnusableCertificate as error:
            raise NotTaken(error.code) from error
        except TimeoutError:
            raise NotTaken("TIMEOUT") from None
        except ssl.SSLError:
            raise NotTaken("TLS") from None
        except OSError:
            raise NotTaken("NO_CONNECTION") from None

    def _hold(self, secure: ssl.SSLSocket) -> None:
        """See that the server does not close before we do."""
        secure.settimeout(HOLD_S)
        with contextlib.suppress(TimeoutError):
            if not secure.recv(1):
                raise NotTaken("REFUSED")
        secure.settimeout(self.timeout_s)

    def _prove(self, secure: ssl.SSLSocket) -> None:
        """Say that nothing more comes, and wait for the server to say so."""
        try:
            secure.unwrap()
        except ssl.SSLEOFError:
            if self.proof != "end":
                raise NotTaken("NOT_PROVEN") from None
        except (ssl.SSLError, ConnectionError):
            raise NotTaken("NOT_PROVEN") from None
