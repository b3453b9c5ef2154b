"""What every object of ours says about its maker, and what makes its bytes reproducible."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dicom_objects.uids import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    derived_uid,
)

if TYPE_CHECKING:
    from pydicom import Dataset

    from imaging.provenance import Provenance

MANUFACTURER = "Osteon project"
MODEL_NAME = "Osteon"
DESCRIPTION_PREFIX = "RESEARCH Osteon"
RESEARCH_NOTICE = "Research use only. Not for diagnosis or treatment decisions."


@dataclass(frozen=True)
class Stamp:
    """When and by what a result was made; dates YYYYMMDD, times HHMMSS.ffffff."""

    date: str
    time: str
    device_uid: str
    serial_number: str
    software_version: str

    @classmethod
    def of(cls, provenance: Provenance) -> Stamp:
        """Take the time from the run, never from the clock: equal runs give equal bytes."""
        at = datetime.fromisoformat(provenance.finished_at)
        return cls(
            date=at.strftime("%Y%m%d"),
            time=at.strftime("%H%M%S.%f"),
            device_uid=provenance.device_uid,
            serial_number=provenance.git_commit[:16] or "unknown",
            software_version=provenance.software_version,
        )


def settle(dataset: Dataset, stamp: Stamp) -> None:
    """Replace what highdicom takes from the clock or from chance; name our implementation."""
    for keyword in ("InstanceCreation", "Content", "Series"):
        setattr(dataset, f"{keyword}Date", stamp.date)
        setattr(dataset, f"{keyword}Time", stamp.time)
    dataset.DeviceUID = stamp.device_uid
    dataset.file_meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    dataset.file_meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    organisation = derived_uid(str(dataset.SOPInstanceUID), "dimension organization")
    for keyword in ("DimensionOrganizationSequence", "DimensionIndexSequence"):
        for item in dataset.get(keyword, ()):
            item.DimensionOrganizationUID = organisation
    for item in dataset.get("ContributingEquipmentSequence", ()):
        if item.get("ManufacturerModelName") == "highdicom":
            item.ContributionDateTime = stamp.date + stamp.time
