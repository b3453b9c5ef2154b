"""What goes to a destination stands in the audit: that it begins, and what came of it.

The first is written before anything is sent, so nothing leaves that nobody can tell later.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dicom_node.errors import PeerError
from jobs.transfers import Transfer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from dicom_node.commitment import CommitmentReport, Reference
    from dicom_node.destination import Deliverable, Place
    from dicom_node.send import SendOutcome
    from jobs.job import Job
    from jobs.store import JobStore
    from workers.configuration import Destination

_UNKNOWN = "unknown"


@dataclass(frozen=True)
class WitnessedPlace:
    """A destination of one job whose transfers are recorded: `dicom_node.destination.Place`."""

    place: Place
    store: JobStore
    job: Job
    destination: Destination
    classes: Mapping[Path, str]
    """SOP Class UIDs of the job's files."""

    def deliver(
        self, objects: Sequence[Deliverable], on_tried: Callable[[SendOutcome], None]
    ) -> tuple[SendOutcome, ...]:
        """Send as the place does; raises as it does, and `StoreUnavailable`."""
        paths = [item.path for item in objects]
        self.store.record_audit(self._transfer(paths, ()).begun(self.job.id))
        try:
            outcomes = self.place.deliver(objects, on_tried)
        except PeerError:
            self._record((), paths)
            raise
        taken = [outcome.path for outcome in outcomes if outcome.ok]
        self._record(taken, [outcome.path for outcome in outcomes if not outcome.ok])
        return outcomes

    def commit(
        self, transaction_uid: str, references: Sequence[Reference], linger_s: float
    ) -> CommitmentReport | None:
        """Ask the place."""
        return self.place.commit(transaction_uid, references, linger_s)

    def held(self, study_uid: str, series_uids: Iterable[str]) -> frozenset[str]:
        """Ask the place."""
        return self.place.held(study_uid, series_uids)

    def trouble(self) -> str:
        """Ask the place."""
        return self.place.trouble()

    def _record(self, taken: Sequence[Path], failed: Sequence[Path]) -> None:
        for entry in self._transfer(taken, failed).sent(self.job.id):
            self.store.record_audit(entry)

    def _transfer(self, stored: Sequence[Path], failed: Sequence[Path]) -> Transfer:
        counts = (
            Counter(self.classes.get(path, _UNKNOWN) for path in paths)
            for paths in (stored, failed)
        )
        return Transfer(*_address(self.destination), self.job.study_uid, *counts)


def _address(there: Destination) -> tuple[str, str]:
    """Return title and host; of a DICOMweb service its name in the settings stands for a title."""
    if there.web is None:
        return there.ae_title, there.host
    return there.name, urlsplit(there.web.url).hostname or ""


def witnessed(
    place: Place, store: JobStore, job: Job, destination: Destination, results_dir: Path
) -> Place:
    """Return the place with its transfers recorded."""
    files = store.results(job.id)
    classes = {results_dir / file.path: file.sop_class_uid or _UNKNOWN for file in files}
    return WitnessedPlace(place, store, job, destination, classes)
