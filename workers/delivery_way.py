"""One job's objects on their way to one destination: how they are sent."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicom_node.errors import PeerUnavailable
from jobs.fault_points import fault
from jobs.result import DeliveryStatus
from workers.vitals import ObjectsSent, silence

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dicom_node.destination import Place
    from dicom_node.send import SendOutcome
    from jobs.job import Job
    from jobs.result import Delivery, ResultFile
    from jobs.store import JobStore
    from workers.vitals import Tell


class ResultDamaged(Exception):  # noqa: N818 - it names the condition
    """A kept file is gone or has other bytes: it must not be sent under the UID that it has."""

    code = "RESULT_DAMAGED"


@dataclass(frozen=True)
class Parcel:
    """One object on its way: `dicom_node.destination.Deliverable`."""

    kind: str
    path: Path


@dataclass(frozen=True)
class Way:
    """From a job's kept results to one destination; each answer is noted before the next object."""

    store: JobStore
    job: Job
    name: str
    place: Place
    results_dir: Path
    tell: Tell = silence

    def send(self, due: Sequence[Delivery]) -> None:
        """Send what is queued of `due`.

        Raises:
            PeerUnavailable: the destination did not take all of it, and may later.
            PeerRefused: it does not take us at all.
            ResultDamaged: a file is not the one that was kept; nothing was sent.
            LeaseLost: the job is no longer ours.

        """
        queued = {way.sop_instance_uid for way in due if way.status is DeliveryStatus.QUEUED}
        files = [f for f in self.store.results(self.job.id) if f.sop_instance_uid in queued]
        if not files:
            return
        began_s = time.monotonic()
        parcels = [self._parcel(file) for file in files]
        # A newer revision of the study ends this job: then nothing more of it may go out.
        self.store.require_held(self.job)
        outcomes = self.place.deliver(parcels, self._note)
        fault("deliver.answered")
        self.tell(_sent(self.name, outcomes, time.monotonic() - began_s))
        waiting = [outcome for outcome in outcomes if outcome.retryable]
        if waiting:
            raise PeerUnavailable(_sentence(self.name, waiting))
        self.store.destination_answered(self.name)

    def _parcel(self, file: ResultFile) -> Parcel:
        path = self.results_dir / file.path
        try:
            with path.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
        except FileNotFoundError:
            raise ResultDamaged(f"{file.name} is gone from the results: nothing is sent") from None
        if digest != file.sha256:
            raise ResultDamaged(f"{file.name} is not the file that was kept: nothing is sent")
        return Parcel(file.kind, path)

    def _note(self, outcome: SendOutcome) -> None:
        """Write down what an object's try came to; raises LeaseLost."""
        key = (self.job, outcome.sop_instance_uid, self.name)
        if outcome.ok and outcome.status is not None:
            self.store.mark_sent(*key, outcome.status)
        elif outcome.retryable:
            self.store.mark_not_sent(*key, outcome.status)
        else:
            self.store.mark_refused(*key, outcome.status)
        fault("deliver.noted")


def _sent(destination: str, outcomes: Sequence[SendOutcome], seconds: float) -> ObjectsSent:
    taken = sum(outcome.ok for outcome in outcomes)
    waiting = sum(outcome.retryable for outcome in outcomes)
    return ObjectsSent(destination, taken, waiting, len(outcomes) - taken - waiting, seconds)


def _sentence(name: str, waiting: Sequence[SendOutcome]) -> str:
    statuses = {f"0x{o.status:04X}" if o.status is not None else "none" for o in waiting}
    told = ", ".join(sorted(statuses))
    return f"{name} did not take {len(waiting)} objects (status {told}); they are sent again"
