"""Before a study is measured: who the patient is for certain, and which earlier studies come.

The archive is asked once, by the worker that has read whose study it is; what is wanted stands in
the store, and a node fetches it (docs/priors.md). The study waits in the queue, not here.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dicom_node.archive import studies_of, study_of
from dicom_node.errors import DicomNodeError, PeerUnavailable
from dicom_node.query import STUDY_ROOT_FIND, can_be_asked
from dicom_objects.reading.patient import read_patient
from imaging.quality import QualityNote
from jobs.prior import FOUND, PriorState, WantedPrior
from jobs.prior_rows import AWAITED
from jobs.transfers import asked
from workers.prior_choice import Choice, PriorRules, choose, is_someone_else

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from dicom_node.peer import Peer
    from dicom_objects.reading.patient import Patient
    from jobs.examination import ExaminationRecord
    from jobs.job import Job
    from jobs.prior import PriorSearch, WishedPrior
    from jobs.store import JobStore

_LOG = logging.getLogger(__name__)

NOT_ASKED = "PRIORS_NOT_ASKED"
_LOOK_AGAIN_S, _ARCHIVE_AGAIN_S = 30.0, 60.0


class PriorsAwaited(Exception):  # noqa: N818 - it names the condition
    """Earlier studies are on their way; the job goes on in `again_s` seconds at the latest."""

    code = AWAITED

    def __init__(self, message: str, again_s: float = _LOOK_AGAIN_S) -> None:
        """Say what is waited for, and for how long at the most before looking again."""
        super().__init__(message)
        self.again_s = again_s


class IdentityConflict(Exception):  # noqa: N818
    """Nobody knows whose images these are; a person has to find out."""

    code = "IDENTITY_CONFLICT"


class IdentityOfStudy(IdentityConflict):
    """The archive holds this very study as another patient's."""

    code = "IDENTITY_OF_STUDY"


@dataclass(frozen=True)
class PriorPolicy:
    """Whom a worker asks for earlier studies, and what it does with the answer."""

    peer: Peer | None = None
    """None: no archive is asked; earlier studies are those that came here."""
    rules: PriorRules = field(default_factory=PriorRules)
    wait_s: float = 900.0
    """A study waits no longer for earlier ones."""
    hold_conflicts: bool = True
    """Whether a study waits for a person when its Patient ID stands for somebody else too."""


@dataclass(frozen=True)
class Priors:
    """The earlier studies of one job's study."""

    store: JobStore
    job: Job
    policy: PriorPolicy

    def wait(self) -> None:
        """Raise `PriorsAwaited` while what was asked for is on its way; nothing is read for it."""
        search = self.store.prior_search(self.job.study_uid)
        if self.policy.peer is None or search is None or self.store.past(search):
            return
        awaited = sum(wish.awaited for wish in self.store.wished_priors(self.job.study_uid))
        if awaited:
            raise PriorsAwaited(f"it waits for {awaited} earlier studies from the archive")

    def look(self, record: ExaminationRecord, paths: Sequence[Path]) -> tuple[QualityNote, ...]:
        """Make sure of the patient, ask the archive, and say what the comparison goes without.

        Raises:
            IdentityConflict: a person has to say whose images these are.
            PriorsAwaited: earlier studies come, or the archive is away and may come back.
            LeaseLost: the job is no longer ours.

        """
        released = self.store.released(self.job.study_uid)
        if self.policy.hold_conflicts and not released:
            _require_agreement(record, self.store.under_same_id(record))
        if self.policy.peer is None or self.store.is_only_prior(self.job.study_uid):
            return ()
        search = self.store.begin_prior_search(self.job, self.policy.wait_s)
        if not search.answered:
            self._ask(self.policy.peer, search, read_patient(paths), released=released)
            self.wait()
            search = self.store.prior_search(self.job.study_uid) or search
        return tuple(_notes(search, self.store.wished_priors(self.job.study_uid)))

    def _ask(
        self, peer: Peer, search: PriorSearch, patient: Patient | None, *, released: bool
    ) -> None:
        if patient is None or not can_be_asked(patient.patient_id):
            self.store.end_prior_search(self.job, NOT_ASKED)
            return
        self.store.record_audit(asked(peer.ae_title, peer.host, STUDY_ROOT_FIND, self.job.id))
        try:
            choice = _found(peer, patient, self.policy, released=released)
        except PeerUnavailable as error:
            if not self.store.past(search):
                message = f"it waits for the archive: {error}"
                raise PriorsAwaited(message, self._again_s) from error
            self._not_found(error)
        except DicomNodeError as error:
            self._not_found(error)
        else:
            wanted = [WantedPrior(study.study_uid, study.date) for study in choice.wanted]
            self.store.end_prior_search(self.job, FOUND, wanted, choice.left_out)
            text = "the archive holds %s earlier studies that this one is to be compared with"
            _LOG.info(text, len(wanted), extra={"event": "priors_found"})

    @property
    def _again_s(self) -> float:
        """After how many seconds an archive that is away is asked again: 15 times in all."""
        return min(_ARCHIVE_AGAIN_S, max(self.policy.wait_s / 15, 1.0))

    def _not_found(self, error: DicomNodeError) -> None:
        told = {"event": "priors_not_found", "code": error.code}
        _LOG.warning("earlier studies could not be asked for: %s", error, extra=told)
        self.store.end_prior_search(self.job, error.code)


def _found(peer: Peer, patient: Patient, policy: PriorPolicy, *, released: bool) -> Choice:
    """Ask for all studies under the patient's ID.

    Raises:
        IdentityConflict: they, or this very study, are another person's there.
        PeerError: the archive is away or refuses.

    """
    held = studies_of(peer, patient.patient_id)
    own = next((one for one in held if one.study_uid == patient.study_uid), None)
    own = own or study_of(peer, patient.study_uid)
    choice = choose(held, patient, policy.rules)
    if not policy.hold_conflicts or released:
        return choice
    if own and (own.patient_id != patient.patient_id or is_someone_else(own, patient)):
        raise IdentityOfStudy(
            "the archive holds this very study under another Patient ID, name, date of birth or "
            "sex than its images say; find out whose images these are"
        )
    if choice.conflict:
        raise IdentityConflict(
            "in the archive this Patient ID belongs to a person with another name, date of birth "
            "or sex; find out whose images these are"
        )
    return choice


def _require_agreement(record: ExaminationRecord, others: Iterable[ExaminationRecord]) -> None:
    """Raise `IdentityConflict` where the ID was another person's and never this one's."""
    conflicts = [record.conflicts_with(other) for other in others]
    if conflicts and all(conflicts):
        raise IdentityConflict(
            "the studies that were measured here under this Patient ID say another date of birth "
            "or sex; find out whose images these are"
        )


def _notes(search: PriorSearch, wishes: Sequence[WishedPrior]) -> Iterable[QualityNote]:
    if search.code == NOT_ASKED:
        yield QualityNote("PRIORS_NOT_ASKED", "warning", _NO_ID)
    elif search.code not in (None, FOUND):
        yield QualityNote("PRIORS_ARCHIVE", "warning", f"{_ARCHIVE} ({search.code}).")
    if search.left_out:
        yield QualityNote("PRIORS_IDENTITY", "warning", _OTHERS)
    for wish in wishes:
        if not wish.measured:
            yield QualityNote("PRIORS_MISSING", "warning", _missing(wish))


def _missing(wish: WishedPrior) -> str:
    day = wish.taken_on
    when = f"of {day[:4]}-{day[4:6]}-{day[6:]}" if day else "without a date"
    if wish.state is PriorState.FAILED:
        why = f"could not be fetched from the archive ({wish.code})"
    elif wish.awaited:
        why = "was not measured in time"
    else:
        why = "could not be measured"
    return f"The patient's study {when} {why}; it was not compared."


_NO_ID = (
    "The archive was not asked for earlier studies: the images have no Patient ID that it can be "
    "asked by. Earlier studies that it holds were not compared."
)
_ARCHIVE = (
    "The archive could not be asked for earlier studies; those that it holds were not compared"
)
_OTHERS = (
    "The archive holds studies under the same Patient ID that say another name, date of birth or "
    "sex; they were not fetched. Find out whose images these are."
)
