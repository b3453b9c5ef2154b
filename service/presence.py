"""A worker says every few seconds that it is there: for people who look, and for nothing else."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING

from jobs.errors import SchemaTooNew, SchemaTooOld, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.store import JobStore

_LOG = logging.getLogger(__name__)
EVERY_S = 10.0
_LEASES = 3
_FAREWELL_S = 2.0
"""A database that hangs does not hold up the end of a worker."""


@contextlib.contextmanager
def present(store: JobStore, owner: str, version: str, every_s: float = EVERY_S) -> Iterator[None]:
    """Tell the store that `owner` is there while the block runs, and that it left at its end.

    A store that is away is told again later: nothing depends on it.
    """
    ended = threading.Event()

    def tell() -> None:
        while not ended.is_set():
            with _tolerated():
                store.require_schema()
                store.tell_worker(owner, version, _LEASES * every_s)
            ended.wait(every_s)
        with _tolerated():
            store.require_schema()
            store.worker_left(owner)

    teller = threading.Thread(target=tell, name="presence", daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join(_FAREWELL_S)


@contextlib.contextmanager
def _tolerated() -> Iterator[None]:
    try:
        yield
    except (StoreUnavailable, SchemaTooNew, SchemaTooOld) as error:
        told = {"event": "store_away", "code": error.code}
        _LOG.debug("the store was not told that this worker is there: %s", error, extra=told)
