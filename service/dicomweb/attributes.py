"""Which attributes a search knows at which level (PS3.18 10.6.3.3, tables 10.6.3-3 to 10.6.3-5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from dicom_objects.served.dictionary import tags_of


class Level(IntEnum):
    """What a search lists."""

    STUDY = 1
    SERIES = 2
    INSTANCE = 3


@dataclass(frozen=True)
class LevelAttributes:
    """Keywords by where their values come from."""

    returned: tuple[str, ...]
    """Read of headers, in every answer."""
    more: tuple[str, ...]
    """Read of headers, given where includefield asks for them."""
    counted: tuple[str, ...]
    """Not of headers: made for every answer."""

    @cached_property
    def read(self) -> tuple[str, ...]:
        """What is read of headers."""
        return (*self.returned, *self.more)

    @cached_property
    def required_tags(self) -> dict[str, str]:
        """Tag and VR of what every answer has, empty where a header does not say it."""
        return tags_of(self.returned)

    @cached_property
    def optional_tags(self) -> dict[str, str]:
        """Tag and VR of what is given where it is asked for."""
        return tags_of(self.more)


ATTRIBUTES = {
    Level.STUDY: LevelAttributes(
        returned=(
            "StudyDate",
            "StudyTime",
            "AccessionNumber",
            "ReferringPhysicianName",
            "TimezoneOffsetFromUTC",
            "PatientName",
            "PatientID",
            "PatientBirthDate",
            "PatientSex",
            "StudyID",
        ),
        more=(
            "StudyDescription",
            "IssuerOfPatientID",
            "PatientAge",
            "PatientSize",
            "PatientWeight",
        ),
        counted=(
            "InstanceAvailability",
            "ModalitiesInStudy",
            "RetrieveURL",
            "StudyInstanceUID",
            "NumberOfStudyRelatedSeries",
            "NumberOfStudyRelatedInstances",
        ),
    ),
    Level.SERIES: LevelAttributes(
        returned=(
            "Modality",
            "SeriesDescription",
            "SeriesNumber",
            "TimezoneOffsetFromUTC",
            "PerformedProcedureStepStartDate",
            "PerformedProcedureStepStartTime",
            "RequestAttributesSequence",
        ),
        more=(
            "SeriesDate",
            "SeriesTime",
            "BodyPartExamined",
            "ProtocolName",
            "Manufacturer",
            "ManufacturerModelName",
            "StationName",
            "InstitutionName",
        ),
        counted=("RetrieveURL", "SeriesInstanceUID", "NumberOfSeriesRelatedInstances"),
    ),
    Level.INSTANCE: LevelAttributes(
        returned=(
            "InstanceNumber",
            "Rows",
            "Columns",
            "BitsAllocated",
            "NumberOfFrames",
            "TimezoneOffsetFromUTC",
        ),
        more=("ImageType", "ContentDate", "ContentTime", "ContentLabel", "AcquisitionNumber"),
        counted=(
            "SOPClassUID",
            "SOPInstanceUID",
            "InstanceAvailability",
            "AvailableTransferSyntaxUID",
            "RetrieveURL",
        ),
    ),
}
MATCHED_AS_COUNTED = frozenset(
    (
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "SOPInstanceUID",
        "SOPClassUID",
        "ModalitiesInStudy",
    )
)
"""Of what is not of headers, what a search may ask for."""


def levels_up_to(level: Level) -> tuple[Level, ...]:
    """Return a level and those above it."""
    return tuple(one for one in Level if one <= level)


def level_of(tag: str, level: Level) -> Level | None:
    """Return at which level an attribute is matched in a search at `level`; None: it is not."""
    for one in levels_up_to(level):
        if tag in _MATCHED[one]:
            return one
    return None


_MATCHED = {
    level: frozenset(
        tags_of((*known.read, *(name for name in known.counted if name in MATCHED_AS_COUNTED)))
    )
    for level, known in ATTRIBUTES.items()
}
