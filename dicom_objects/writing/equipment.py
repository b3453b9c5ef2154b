"""The models that took part, in the form that IHE AI Results asks for (6.5.3.1; `dicom.md` B6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from highdicom.sr import CodedConcept
from pydicom import Dataset

from dicom_objects.uids import derived_uid
from dicom_objects.writing import codes
from dicom_objects.writing.stamp import MANUFACTURER

if TYPE_CHECKING:
    from imaging.provenance import ModelIdentity, Provenance


def add_models(dataset: Dataset, provenance: Provenance) -> None:
    """Append each model to the Contributing Equipment Sequence (0018,A001).

    By hand: highdicom takes neither this purpose of reference nor a Device UID.
    """
    equipment = list(dataset.get("ContributingEquipmentSequence", ()))
    equipment += [_item(model) for model in provenance.models]
    dataset.ContributingEquipmentSequence = equipment


def model_device_uid(model: ModelIdentity) -> str:
    """Return the UID of a model: another one whenever it was trained again."""
    return str(derived_uid("model", model.name, model.version, model.sha256))


def _item(model: ModelIdentity) -> Dataset:
    purpose = codes.PROCESSING_ALGORITHM
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = [
        CodedConcept(purpose.value, purpose.scheme_designator, purpose.meaning)
    ]
    item.Manufacturer = MANUFACTURER
    item.ManufacturerModelName = model.name
    item.SoftwareVersions = model.version
    item.DeviceUID = model_device_uid(model)
    item.ContributionDescription = f"Served model, sha256 {model.sha256}"
    return item
