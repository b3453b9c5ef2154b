"""The deliver stage: kept results go to every destination, exactly the bytes that were kept."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicom_node.destination import CStoreDestination
from dicom_node.errors import PeerRefused, PeerUnavailable
from dicom_node.send import Peer
from jobs.fault_points import fault
from jobs.result import DeliveryStatus
from workers.vitals import ObjectsSent, silence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dicom_node.send import SendOutcome
    from jobs.job import Job
    from jobs.result import ResultFile
    from jobs.store import JobStore
    from workers.configuration import Destination
    from workers.vitals import Tell

_LOG = logging.getLogger(__name__)
_DONE = frozenset({DeliveryStatus.SENT, DeliveryStatus.STORED})
BACK_OFF_S = (10.0, 30.0, 120.0, 600.0, 1800.0)
"""Delay before each further try; the last one repeats (reference/reliability.md B7)."""


@dataclass(frozen=True)
class Courier:
    """Sends one job's kept results and notes what became of each object."""

    store: JobStore
    job: Job
    results_dir: Path
    tell: Tell = silence

    def deliver(
        self, destinations: Sequence[Destination], on_progress: Callable[[float], None]
    ) -> None:
        """Send what a destination does not have yet, in the order that viewers need.

        Raises:
            PeerUnavailable: a destination is away; the others have been served.
            PeerRefused: a destination refused an object for good.
            LeaseLost: the job is no longer ours.

        """
        objects = [r for r in self.store.results(self.job.id) if r.sop_instance_uid is not None]
        troubles: list[PeerUnavailable | PeerRefused] = []
        for number, destination in enumerate(destinations, start=1):
            self.store.expect_delivery(self.job, destination.name)
            try:
                self._serve(destination, objects)
            except (PeerUnavailable, PeerRefused) as error:
                told = {"event": "destination_failed", "code": error.code}
                _LOG.warning("destination %s: %s", destination.name, error, extra=told)
                troubles.append(error)
            on_progress(number / len(destinations))
        if troubles:
            raise _gravest(troubles)

    def _serve(self, destination: Destination, objects: Sequence[ResultFile]) -> None:
        has = {
            row.sop_instance_uid
            for row in self.store.deliveries(self.job.id)
            if row.destination == destination.name and row.status in _DONE
        }
        missing = [r for r in objects if r.sop_instance_uid not in has]
        if not missing:
            return
        parcels = [Parcel(r.kind, self.results_dir / r.path) for r in missing]
        place = CStoreDestination(destination.name, _peer(destination))
        # A newer revision of the study ends this job: then nothing more of it may go out.
        began_s = time.monotonic()
        outcomes = place.deliver(parcels, lambda *_: self.store.require_held(self.job))
        self.tell(_sent(destination.name, outcomes, time.monotonic() - began_s))
        fault("deliver.answered")
        for outcome in outcomes:
            self._note(destination.name, outcome)
        _raise_for(destination, [outcome for outcome in outcomes if not outcome.ok])

    def _note(self, destination: str, outcome: SendOutcome) -> None:
        key = (self.job, outcome.sop_instance_uid, destination)
        if outcome.ok and outcome.status is not None:
            self.store.mark_sent(*key, outcome.status)
        elif outcome.retryable:
            self.store.mark_not_sent(*key, outcome.status)
        else:
            self.store.mark_refused(*key, outcome.status)


@dataclass(frozen=True)
class Parcel:
    """One object on its way: `dicom_node.destination.Deliverable`."""

    kind: str
    path: Path


def _sent(destination: str, outcomes: Sequence[SendOutcome], seconds: float) -> ObjectsSent:
    taken = sum(outcome.ok for outcome in outcomes)
    waiting = sum(outcome.retryable and not outcome.ok for outcome in outcomes)
    return ObjectsSent(destination, taken, waiting, len(outcomes) - taken - waiting, seconds)


def back_off_s(tries: int) -> float:
    """Return how long to wait after `tries` tries that did not succeed."""
    return BACK_OFF_S[min(max(tries, 1), len(BACK_OFF_S)) - 1]


def _peer(destination: Destination) -> Peer:
    return Peer(
        ae_title=destination.ae_title,
        host=destination.host,
        port=destination.port,
        calling_ae_title=destination.calling_ae_title,
    )


def _raise_for(destination: Destination, failed: Sequence[SendOutcome]) -> None:
    if not failed:
        return
    statuses = sorted({f"0x{o.status:04X}" if o.status is not None else "none" for o in failed})
    sentence = f"{destination.name} did not take {len(failed)} objects (status {statuses})"
    if all(outcome.retryable for outcome in failed):
        raise PeerUnavailable(f"{sentence}; they are sent again")
    raise PeerRefused(f"{sentence}; look at that system's log, then retry the job")


def _gravest(
    troubles: Sequence[PeerUnavailable | PeerRefused],
) -> PeerUnavailable | PeerRefused:
    """Retry while any destination may still take it; what was refused is noted already."""
    away = [error for error in troubles if isinstance(error, PeerUnavailable)]
    return away[0] if away else troubles[0]
