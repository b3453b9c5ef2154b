"""The patient's earlier results, as the comparison asks for them: numbers first, arrays later."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from dicom_objects.reading.examination import PatientKeys
from imaging.quality import QualityNote
from jobs.examination import ExaminationRecord
from workers.earlier_numbers import study_of
from workers.time_points import FILE_NAME, KIND, UnreadableTimePoint, read_time_point

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dicom_objects.reading.examination import Examination
    from imaging.measured_study import MeasuredStudy, StudyImages
    from jobs.result import ResultFile
    from jobs.store import JobStore

NUMBERS = "measurements.json"


@dataclass(frozen=True, eq=False)
class EarlierStudy:
    """One earlier study: its numbers, and where its arrays are if they are kept."""

    measured: MeasuredStudy
    digest: str
    """SHA-256 of its `measurements.json`: what this run's results depend on."""
    load_images: Callable[[], StudyImages] = field(repr=False)
    """Raises UnreadableTimePoint where they are gone or changed."""


@dataclass(frozen=True)
class Found:
    """Earlier studies that can be compared, and a note for each that cannot."""

    studies: tuple[EarlierStudy, ...] = ()
    notes: tuple[QualityNote, ...] = ()


class Earlier(Protocol):
    """Where earlier results come from."""

    def find(self, examination: Examination) -> Found:
        """Return the earlier studies of the patient whom `examination` is of."""
        ...


class UnusableResults(Exception):  # noqa: N818 - it names the condition
    """A folder that was named as an earlier result is none; the message says which and why."""

    code = "PRIOR_UNUSABLE"


@dataclass(frozen=True)
class FolderResults:
    """Results of `osteon run`, named by the person who says that they are of the same patient."""

    studies: tuple[EarlierStudy, ...] = ()

    @classmethod
    def of(cls, folders: Sequence[Path]) -> FolderResults:
        """Read the numbers of every folder.

        Raises:
            UnusableResults: a folder holds no measurements that can be read.

        """
        return cls(tuple(_in_folder(folder) for folder in folders))

    def find(self, examination: Examination) -> Found:
        """Return every folder's study, but for those that were not made before this one.

        Where a date is missing the person who named the folders is believed, and their order.
        """
        kept: list[EarlierStudy] = []
        notes: list[QualityNote] = []
        for study in self.studies:
            point, now = study.measured.point, examination.taken_at
            if point.study_uid == examination.study_uid or (now and point.date > now):
                notes.append(_NOT_EARLIER)
            else:
                kept.append(study)
        return Found(tuple(kept), tuple(dict.fromkeys(notes)))


def _in_folder(folder: Path) -> EarlierStudy:
    try:
        text = (folder / NUMBERS).read_bytes()
        measured = study_of(json.loads(text))
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{folder} holds no results of osteon run that can be read ({error})"
        raise UnusableResults(message) from error
    path = folder / FILE_NAME
    return EarlierStudy(measured, _digest(text), lambda: read_time_point(path))


@dataclass(frozen=True)
class StoredResults:
    """Delivered results of the store, found by the patient's keyed digest."""

    store: JobStore = field(repr=False)
    results_dir: Path
    notes: tuple[QualityNote, ...] = ()
    """What is known already of earlier studies that are not in the store."""

    def find(self, examination: Examination) -> Found:
        """Return the patient's other studies; of one ID with two persons' traits none."""
        studies: list[EarlierStudy] = []
        notes: list[QualityNote] = []
        for one in self.store.other_results(record_of(examination)):
            if examination.patient.conflicts_with(_keys_of(one.examination)):
                notes.append(_IDENTITY)
                continue
            try:
                studies.append(self._read(self.store.results(one.job_id)))
            except (OSError, ValueError, KeyError, TypeError):
                notes.append(_gone(one.examination.taken_at))
        found = _before(examination, studies)
        return replace(found, notes=(*dict.fromkeys((*self.notes, *notes)), *found.notes))

    def _read(self, files: Sequence[ResultFile]) -> EarlierStudy:
        numbers = next((f for f in files if f.name == NUMBERS), None)
        if numbers is None:
            raise ValueError("the run has no numbers")
        text = (self.results_dir / numbers.path).read_bytes()
        if _digest(text) != numbers.sha256:
            raise ValueError("the file is not the one that was kept")
        arrays = next((f for f in files if f.kind == KIND), None)
        return EarlierStudy(
            study_of(json.loads(text)), numbers.sha256, lambda: self._images(arrays)
        )

    def _images(self, arrays: ResultFile | None) -> StudyImages:
        if arrays is None:
            raise UnreadableTimePoint("the run is older than the arrays that are kept now")
        path = self.results_dir / arrays.path
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise UnreadableTimePoint(f"{path.name} is gone") from error
        if digest != arrays.sha256:
            raise UnreadableTimePoint(f"{path.name} is not the file that was kept")
        return read_time_point(path)


_NOT_EARLIER = QualityNote(
    "FOLLOW_UP_NOT_EARLIER",
    "warning",
    "A folder that was named as an earlier result is of this study or of a later one; it was not "
    "compared.",
)
_IDENTITY = QualityNote(
    "FOLLOW_UP_IDENTITY",
    "warning",
    "A study under the same Patient ID says another date of birth or sex; it was not compared. "
    "Find out whose images these are.",
)


def _before(examination: Examination, studies: Sequence[EarlierStudy]) -> Found:
    """Keep what was made before; of what has no date nobody knows."""
    now = examination.taken_at
    kept: list[EarlierStudy] = []
    notes: list[QualityNote] = []
    for study in studies:
        when = study.measured.point.date
        if not now or not when:
            notes.append(_NO_DATE)
        elif when < now and study.measured.point.study_uid != examination.study_uid:
            kept.append(study)
    return Found(tuple(kept), tuple(dict.fromkeys(notes)))


_NO_DATE = QualityNote(
    "FOLLOW_UP_NO_DATE",
    "warning",
    "A study of the same patient was not compared: the images of one of the two have no date, so "
    "that nobody knows which came first.",
)


def _gone(taken_at: str) -> QualityNote:
    when = taken_at[:10] or "without a date"
    text = (
        f"The results of the patient's study of {when} are not on this system any more, or were"
        " changed; it was not compared. Measure it again, or restore them."
    )
    return QualityNote("FOLLOW_UP_FILES_GONE", "warning", text)


def record_of(examination: Examination) -> ExaminationRecord:
    """Return what the store keeps of an examination."""
    keys = examination.patient
    return ExaminationRecord(
        examination.study_uid, keys.patient, keys.birth_date, keys.sex, examination.taken_at
    )


def _keys_of(record: ExaminationRecord) -> PatientKeys:
    return PatientKeys(record.patient_key, record.birth_key, record.sex_key)


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
