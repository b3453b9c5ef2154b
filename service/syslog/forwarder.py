"""The thread of `osteon api` that hands the audit on; as many processes as one likes may run it."""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.errors import JobsError
from service.syslog.connection import NotTaken
from service.syslog.message import framed, syslog_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.store import JobStore
    from service.syslog.connection import SyslogServer
    from service.syslog.message import Sender

_LOG = logging.getLogger(__name__)
BACK_OFF_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Before each further try; the last one repeats."""
BATCH = 100
"""Messages of one connection: so many at most come twice after a server died."""
LEASE_S = 120.0
_LOOK_S = 1.0


@dataclass(frozen=True)
class Forwarder:
    """Hands rows on in their order; the store knows how far it came."""

    store: JobStore
    server: SyslogServer
    sender: Sender
    batch: int = BATCH
    pauses_s: tuple[float, ...] = BACK_OFF_S
    look_s: float = _LOOK_S

    def run(self, stop: threading.Event) -> None:
        """Hand on what is new until `stop` is set; a server that is away is asked again."""
        tries, failed = 0, ""
        while not stop.is_set():
            handed_on, code = self._try()
            if code != failed:
                self._log(code)
            tries, failed = tries + 1 if code else 0, code
            if code:
                stop.wait(self.pauses_s[min(tries, len(self.pauses_s)) - 1])
            elif not handed_on:
                stop.wait(self.look_s)

    def forward_next(self) -> int:
        """Hand the next rows on; return how many, 0 if there is none or it is another's turn.

        Raises:
            NotTaken: the server did not prove that it has them; they stay where they are.
            JobsError: the database is away.

        """
        if not self._is_behind():
            return 0
        turn = self.store.take_turn(self.server.name, LEASE_S)
        if turn is None:
            return 0
        position = turn.position
        try:
            rows = self.store.audit(position, self.batch)
            if rows:
                self.server.send([framed(syslog_message(row, self.sender)) for row in rows])
                position = rows[-1].id
        finally:
            self.store.end_turn(turn, position)
        return len(rows)

    def _is_behind(self) -> bool:
        return self.store.audit_behind(self.server.name).rows > 0

    def _try(self) -> tuple[int, str]:
        """Return how many rows went on, and why none did; empty if nothing hindered it."""
        try:
            return self.forward_next(), ""
        except (NotTaken, JobsError) as error:
            return 0, error.code

    def _log(self, code: str) -> None:
        """Say it when it changes, not at each try."""
        if code:
            told = {"event": "audit_not_forwarded", "code": code}
            _LOG.warning("the audit waits for the syslog server", extra=told)
        else:
            _LOG.info("the syslog server has the audit", extra={"event": "audit_forwarded"})


@contextlib.contextmanager
def forwarding(forwarder: Forwarder | None) -> Iterator[None]:
    """Hand on while the block runs; nothing happens without a forwarder."""
    if forwarder is None:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=forwarder.run, args=(stop,), name="syslog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=2.0)
