"""What objects that show a whole study have in common: patient, study, maker, sources.

For objects that highdicom has no class for; what is said of maker and run is what SEG, ADC map and
report say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from highdicom import SOPClass
from pydicom.uid import ExplicitVRLittleEndian

from dicom_objects.uids import derived_uid
from dicom_objects.writing.equipment import add_models
from dicom_objects.writing.stamp import DESCRIPTION_PREFIX, MANUFACTURER, MODEL_NAME, Stamp, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom import Dataset

    from dicom_objects.writing.source_images import ImageReference
    from imaging.provenance import Provenance

_BODY_PART = "WHOLEBODY"  # PS3.16 annex L; without one, Laterality would be asked for


@dataclass(frozen=True)
class ObjectIdentity:
    """One object: `kind` in UIDs and files, what its series is called and numbered."""

    kind: str
    description: str
    series_number: int
    uid_seed: str
    content_digest: str
    """SHA-256 of what is shown: a library of the system that draws otherwise gives other UIDs."""
    instance_number: int = 1


@dataclass(frozen=True, eq=False)
class StudySource:
    """What such objects are made of: a header of the study, every source image, and the run."""

    header: Dataset = field(repr=False)
    images: Sequence[ImageReference] = field(repr=False)
    """Those of the highest b-value of every station."""
    provenance: Provenance


def begin(
    identity: ObjectIdentity, source: StudySource, sop_class_uid: str, modality: str
) -> Dataset:
    """Return an object of the study, without what it shows; `finish` ends it."""
    header, provenance = source.header, source.provenance
    stamp = Stamp.of(provenance)
    parts = (identity.uid_seed, identity.content_digest)
    made: Dataset = SOPClass(
        study_instance_uid=header.StudyInstanceUID,
        series_instance_uid=derived_uid(*parts, f"{identity.kind} series"),
        series_number=identity.series_number,
        sop_instance_uid=derived_uid(*parts, identity.kind, str(identity.instance_number)),
        sop_class_uid=sop_class_uid,
        instance_number=identity.instance_number,
        modality=modality,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL_NAME,
        device_serial_number=stamp.serial_number,
        software_versions=provenance.software_version,
        series_description=f"{DESCRIPTION_PREFIX} {identity.description}",
        specific_character_set=None,
    )
    if "SpecificCharacterSet" in header:
        made.SpecificCharacterSet = header.SpecificCharacterSet
    made.copy_patient_and_study_information(header)
    made.BodyPartExamined = _BODY_PART
    made.PatientOrientation = ""
    return made


def finish(made: Dataset, source: StudySource) -> Dataset:
    """Add the models, and what makes the bytes those of the run."""
    add_models(made, source.provenance)
    settle(made, Stamp.of(source.provenance))
    return made
