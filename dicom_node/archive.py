"""What an archive holds of a patient: studies, their series, their images, by C-FIND.

The values identify a patient: they are compared and handed on, never logged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dicom_node.query import Answers, Level, find

if TYPE_CHECKING:
    from dicom_node.answers import Answer
    from dicom_node.peer import Peer
    from dicom_node.query import QueryLimits
    from dicom_node.uid import Uid

STUDY_ATTRIBUTES = (
    "StudyInstanceUID",
    "PatientID",
    "IssuerOfPatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyDescription",
    "ModalitiesInStudy",
    "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances",
)
SERIES_ATTRIBUTES = (
    "SeriesInstanceUID",
    "Modality",
    "SeriesDescription",
    "SeriesNumber",
    "NumberOfSeriesRelatedInstances",
)
IMAGE_ATTRIBUTES = ("SOPInstanceUID", "SOPClassUID")
"""What is asked of each; docs/dicom_conformance.md lists them."""


@dataclass(frozen=True)
class HeldStudy:
    """A study of an archive. Text is empty, and a number None, where the archive does not say."""

    study_uid: Uid
    patient_id: str = field(repr=False)
    issuer: str = field(repr=False)
    name: str = field(repr=False)
    birth_date: str = field(repr=False)
    sex: str = field(repr=False)
    date: str = field(repr=False)
    """YYYYMMDD."""
    time: str = field(repr=False)
    description: str = field(repr=False)
    modalities: tuple[str, ...]
    n_series: int | None
    n_instances: int | None


@dataclass(frozen=True)
class HeldSeries:
    """A series of an archive."""

    series_uid: Uid
    modality: str
    description: str = field(repr=False)
    number: int | None
    n_instances: int | None


@dataclass(frozen=True)
class HeldImage:
    """An image, or any other object, of an archive."""

    sop_instance_uid: Uid
    sop_class_uid: Uid | None
    """None where the archive does not say."""


@dataclass(frozen=True)
class Place:
    """Which study, or which series of it, is meant; Patient Root archives ask for the patient."""

    study_uid: str
    series_uid: str = ""
    patient_id: str = field(default="", repr=False)


def studies_of(
    peer: Peer, patient_id: str, limits: QueryLimits | None = None
) -> tuple[HeldStudy, ...]:
    """Return the studies under exactly this Patient ID; raises as `dicom_node.query.find`."""
    answers = find(peer, Level.STUDY, {"PatientID": patient_id}, STUDY_ATTRIBUTES, limits)
    found = (_study(answer) for answer in answers)
    return tuple(study for study in found if study and study.patient_id == patient_id.strip())


def study_of(peer: Peer, study_uid: str, limits: QueryLimits | None = None) -> HeldStudy | None:
    """Return one study, None where the archive has none; raises as `dicom_node.query.find`."""
    answers = find(peer, Level.STUDY, {"StudyInstanceUID": study_uid}, STUDY_ATTRIBUTES, limits)
    found = (_study(answer) for answer in answers)
    return next((study for study in found if study and study.study_uid == study_uid), None)


def series_of(
    peer: Peer, place: Place, limits: QueryLimits | None = None
) -> tuple[HeldSeries, ...]:
    """Return the series of a study; raises as `dicom_node.query.find`."""
    keys = {"StudyInstanceUID": place.study_uid, "PatientID": place.patient_id}
    found = (
        _series(answer) for answer in find(peer, Level.SERIES, keys, SERIES_ATTRIBUTES, limits)
    )
    return tuple(series for series in found if series)


def images_of(peer: Peer, place: Place, limits: QueryLimits | None = None) -> tuple[HeldImage, ...]:
    """Return the images of a series; raises as `dicom_node.query.find`."""
    keys = {
        "StudyInstanceUID": place.study_uid,
        "SeriesInstanceUID": place.series_uid,
        "PatientID": place.patient_id,
    }
    answers: Answers = find(peer, Level.IMAGE, keys, IMAGE_ATTRIBUTES, limits)
    found = ((a.uid("SOPInstanceUID"), a.uid("SOPClassUID")) for a in answers)
    return tuple(HeldImage(uid, sop_class) for uid, sop_class in found if uid)


def _study(answer: Answer) -> HeldStudy | None:
    uid = answer.uid("StudyInstanceUID")
    if uid is None:
        return None
    return HeldStudy(
        study_uid=uid,
        patient_id=answer.text("PatientID"),
        issuer=answer.text("IssuerOfPatientID"),
        name=answer.text("PatientName"),
        birth_date=answer.text("PatientBirthDate"),
        sex=answer.text("PatientSex"),
        date=answer.text("StudyDate"),
        time=answer.text("StudyTime"),
        description=answer.text("StudyDescription"),
        modalities=answer.texts("ModalitiesInStudy"),
        n_series=answer.number("NumberOfStudyRelatedSeries"),
        n_instances=answer.number("NumberOfStudyRelatedInstances"),
    )


def _series(answer: Answer) -> HeldSeries | None:
    uid = answer.uid("SeriesInstanceUID")
    if uid is None:
        return None
    return HeldSeries(
        series_uid=uid,
        modality=answer.text("Modality"),
        description=answer.text("SeriesDescription"),
        number=answer.number("SeriesNumber"),
        n_instances=answer.number("NumberOfSeriesRelatedInstances"),
    )
