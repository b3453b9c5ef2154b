"""Alerts of a TLS handshake that fails, so that the other end learns why (RFC 8446 6.2).

asyncio closes a connection on the first error of OpenSSL and leaves the alert in the buffer; a
sender would see no more than a connection that ends. Here it is written before the error goes on.
"""

from __future__ import annotations

import ssl
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SAY: ContextVar[Callable[[bytes], None]] = ContextVar("SAY")
"""Writes to the connection whose handshake begins in this context."""


class AlertingObject(ssl.SSLObject):
    """One handshake, and the session after it."""

    outgoing: ssl.MemoryBIO | None = None
    say: Callable[[bytes], None] | None = None

    def do_handshake(self) -> None:
        """Go on with the handshake; what OpenSSL has to say about a failure is sent at once."""
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            if self.say is not None and self.outgoing is not None:
                self.say(self.outgoing.read())
            raise


class AlertingContext(ssl.SSLContext):
    """A context of servers whose handshakes say why they fail."""

    sslobject_class = AlertingObject

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Return a handshake that knows where its alerts go."""
        made = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        if isinstance(made, AlertingObject):
            made.outgoing, made.say = outgoing, SAY.get(None)
        return made
