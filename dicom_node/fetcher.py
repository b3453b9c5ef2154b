"""The node's errands: earlier studies that the record of work wants are fetched from the archive.

One thread beside the receiver, because the spool is the node's. The database says what is wanted
and holds the lease, so a node that dies leaves the errand to the next one; what came before is
not fetched again.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicom_node.defects import DefectsAreLogged
from dicom_node.errors import DicomNodeError, PeerRefused, SpoolError
from dicom_node.fetching import Here, fetch_study
from dicom_node.retrieve import Patience
from dicom_node.spool import Outcome
from dicom_node.witness import Brought
from jobs.errors import LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicom_node.fetching import Archive
    from dicom_node.header import InstanceHeader
    from dicom_node.spool import Spool
    from jobs.prior import PriorFetch
    from jobs.store import JobStore
    from jobs.study import Instance

_log = logging.getLogger(__name__)

LEASE_S = 300.0
LOOK_S = 2.0
_STOP_S = 5.0
MOST_ATTEMPTS = 5
_BACK_OFF_S = (10.0, 30.0, 120.0, 600.0)


@dataclass(frozen=True)
class Fetcher:
    """Fetches one study after the other."""

    archive: Archive
    spool: Spool
    store: JobStore
    arrive: Callable[[Instance], None]
    """Told of each image that is durable, as the receiver tells it."""
    owner: str
    """Names this node in the record."""

    def run(self, stop: threading.Event) -> None:
        """Fetch what is wanted until `stop` is set; an archive that is silent then is left."""
        fetching = threading.Thread(target=self._run, args=[stop], name="fetcher", daemon=True)
        fetching.start()
        stop.wait()
        fetching.join(_STOP_S)

    def _run(self, stop: threading.Event) -> None:
        with DefectsAreLogged():
            self._fetch_what_is_wanted(stop)

    def _fetch_what_is_wanted(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                busy = self.step(stop)
            except StoreUnavailable as error:
                told = {"event": "store_away", "code": error.code}
                _log.warning("no earlier study can be fetched: the store is away", extra=told)
                busy = False
            if not busy:
                stop.wait(LOOK_S)

    def step(self, stop: threading.Event) -> bool:
        """Fetch one study if one is wanted; False if none is."""
        fetch = self.store.claim_prior(self.owner, LEASE_S)
        if fetch is None:
            return False
        try:
            self._fetch(fetch, stop)
        except LeaseLost as error:
            told = {"event": "lease_lost", "code": error.code}
            _log.warning("an earlier study is another node's errand now", extra=told)
        return True

    def _fetch(self, fetch: PriorFetch, stop: threading.Event) -> None:
        errand, began_s = _Errand(self, fetch, stop), time.monotonic()
        here = Here(errand.keep, lambda: self.store.held_counts(fetch.study_uid))
        patience = Patience(errand.stop, goes_on=errand.goes_on)
        try:
            n_images = fetch_study(self.archive, fetch.study_uid, here, patience)
        except DicomNodeError as error:
            self._not_now(fetch, error, stop)
            return
        finally:
            errand.bear_witness()
        self.store.prior_fetched(fetch)
        for instance in self.store.instances(fetch.study_uid)[-1:]:
            self.arrive(instance)  # closings before this were refused: look at it now
        text = "an earlier study was fetched: %s images in %.1f s"
        told = {"event": "prior_fetched"}
        _log.info(text, n_images, time.monotonic() - began_s, extra=told)

    def _not_now(self, fetch: PriorFetch, error: DicomNodeError, stop: threading.Event) -> None:
        told = {"event": "prior_not_fetched", "code": error.code}
        _log.warning("an earlier study was not fetched: %s %s", error.code, error, extra=told)
        if stop.is_set():
            self.store.prior_later(fetch, error.code, 0.0)
        elif isinstance(error, SpoolError):  # our own disk: no fault of the archive's
            self.store.prior_later(fetch, error.code, _BACK_OFF_S[-1])
        elif isinstance(error, PeerRefused) or fetch.attempt >= MOST_ATTEMPTS:
            self.store.prior_failed(fetch, error.code)
        else:
            delay_s = _BACK_OFF_S[min(fetch.attempt, len(_BACK_OFF_S)) - 1]
            self.store.prior_later(fetch, error.code, delay_s)


class _Errand:
    """One fetch under way: keeps images, and keeps the lease."""

    def __init__(self, fetcher: Fetcher, fetch: PriorFetch, node_stops: threading.Event) -> None:
        self.stop = threading.Event()
        self._fetcher = fetcher
        self._fetch = fetch
        self._node_stops = node_stops
        self._renew_at_s = time.monotonic() + LEASE_S / 3
        peer = fetcher.archive.peer
        self._brought = Brought(peer.ae_title, peer.host)

    def keep(self, header: InstanceHeader, data_set: bytes) -> None:
        """Make one image durable, as the receiver does; raises `SpoolError`."""
        stored = self._fetcher.spool.store(header, data_set)
        self._brought.count(header.study_uid, header.sop_class_uid, stored=True)
        if stored.outcome is not Outcome.CONFLICT:
            self._fetcher.arrive(stored.instance)

    def bear_witness(self) -> None:
        """Write into the audit what came here; what came through the door is told there."""
        for transfer in self._brought.transfers():
            for entry in transfer.received():
                self._fetcher.store.record_audit(entry)

    def goes_on(self) -> None:
        """Renew the lease in time; end the retrieval when it is lost or the node stops."""
        if self._node_stops.is_set():
            self.stop.set()
        if time.monotonic() < self._renew_at_s:
            return
        self._renew_at_s = time.monotonic() + LEASE_S / 3
        try:
            self._fetcher.store.renew_prior(self._fetch, LEASE_S)
        except (LeaseLost, StoreUnavailable) as error:
            told = {"event": "lease_lost", "code": error.code}
            _log.warning("the lease of a retrieval could not be renewed", extra=told)
            if isinstance(error, LeaseLost):
                self.stop.set()
