"""The thread of `osteon api` that empties the outbox; as many processes as one likes may run it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from jobs.errors import JobsError
from service.webhooks.notice import MEDIA_TYPE, name_of, notice
from service.webhooks.post import NO_CONNECTION, NotTaken, Post
from service.webhooks.recipients import RecipientRefused, Recipients

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jobs.store import JobStore
    from jobs.webhook import Dispatch
    from service.webhooks.recipients import Target
    from service.webhooks.signing import Signer

_LOG = logging.getLogger(__name__)
BACK_OFF_S = (10.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
"""Before each further try; the last one repeats."""
LEASE_S = 120.0
_LOOK_S = 1.0
_PRUNE_S = 3600.0


@dataclass(frozen=True)
class Sender:
    """Takes one message after the other from the store, and tells the store what became of it."""

    store: JobStore
    signer: Signer
    recipients: Recipients
    post: Post = field(default_factory=Post)
    give_up_after_s: float = 72 * 3600.0
    keep_s: float = 90 * 86400.0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def run(self, stop: threading.Event) -> None:
        """Send what is due until `stop` is set; a database that is away is asked again."""
        prune_at = time.monotonic()
        while not stop.is_set():
            try:
                if time.monotonic() >= prune_at:
                    prune_at = time.monotonic() + _PRUNE_S
                    self.store.prune_messages(self.clock() - timedelta(seconds=self.keep_s))
                if self.send_next():
                    continue
            except JobsError as error:
                told = {"event": "store_away", "code": error.code}
                _LOG.warning("webhooks wait for the database", extra=told)
            stop.wait(_LOOK_S)

    def send_next(self) -> bool:
        """Try the message that is due for longest; False if none is."""
        dispatch = self.store.take_message(LEASE_S) if self.store.message_is_due() else None
        if dispatch is None:
            return False
        status, code = self._try(dispatch)
        if not code and status is not None:
            self.store.message_sent(dispatch, status)
        elif self.clock() - dispatch.message.created_at > timedelta(seconds=self.give_up_after_s):
            self._log("webhook_given_up", dispatch, code)
            self.store.message_given_up(dispatch, status, code)
        else:
            self._log("webhook_not_sent", dispatch, code)
            again_s = BACK_OFF_S[min(dispatch.message.attempts, len(BACK_OFF_S)) - 1]
            self.store.message_not_sent(dispatch, status, code, again_s)
        return True

    def _try(self, dispatch: Dispatch) -> tuple[int | None, str]:
        """Return the status of the answer, and why it was not taken (empty: it was)."""
        name = name_of(dispatch.message)
        body = notice(dispatch.message, dispatch.event, self.signer.source)
        headers = self.signer.headers(dispatch.webhook, name, int(time.time()), body)
        headers |= {"Content-Type": MEDIA_TYPE}
        try:
            target = self.recipients.target(dispatch.webhook.url)
            status = self._post(target, headers, body)
        except (RecipientRefused, NotTaken) as error:
            return None, error.code
        if 300 <= status < 400:
            return status, "REDIRECT"
        return status, "" if 200 <= status < 300 else "STATUS"

    def _post(self, target: Target, headers: Mapping[str, str], body: bytes) -> int:
        """Call the first of the name's addresses that answers."""
        *others, last = self.recipients.addresses(target)
        for address in others:
            try:
                return self.post(target, address, headers, body)
            except NotTaken as error:
                if error.code != NO_CONNECTION:
                    raise
        return self.post(target, last, headers, body)

    def _log(self, event: str, dispatch: Dispatch, code: str) -> None:
        """Say that a try failed: without the address, which may hold a password."""
        told = {"event": event, "code": code}
        text = "webhook %s did not take a message, try %d"
        _LOG.warning(text, dispatch.webhook.id[:8], dispatch.message.attempts, extra=told)


@contextlib.contextmanager
def sending(sender: Sender | None) -> Iterator[None]:
    """Send while the block runs; nothing happens without a sender."""
    if sender is None:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=sender.run, args=(stop,), name="webhooks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=2.0)
