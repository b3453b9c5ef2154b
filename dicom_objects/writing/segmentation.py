"""DICOM SEG: one BINARY object per station, aligned with its source series (PS3.3 A.51).

Stations keep their own grid because viewers need the segmentation on the grid of the images that
it references; a lesion that crosses stations keeps one tracking UID in all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from highdicom import ContentQualificationValues
from highdicom.seg import Segmentation, SegmentationTypeValues
from pydicom.uid import ExplicitVRLittleEndian

from dicom_objects.errors import SourceMismatch
from dicom_objects.uids import derived_uid
from dicom_objects.writing.equipment import add_models
from dicom_objects.writing.references import refer
from dicom_objects.writing.segments import describe
from dicom_objects.writing.stamp import DESCRIPTION_PREFIX, MANUFACTURER, MODEL_NAME, Stamp, settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicom_objects.writing.plan import ObjectPlan
    from dicom_objects.writing.segments import Segment
    from dicom_objects.writing.slices import SourceSlice
    from imaging.provenance import Provenance


_CONTENT = {
    "": "Skeleton, organs and suspected bone lesions",
    "focal": "List of focal lesions, no part of the burden",
}


def tracking_uid(uid_seed: str, name: str) -> str:
    """Return the UID that a lesion or structure has in every object of the study's results."""
    return str(derived_uid(uid_seed, "tracking", name))


def _tracked(segment: Segment, uid_seed: str) -> str:
    return segment.tracking_uid or tracking_uid(uid_seed, segment.name)


def encode_segmentation(
    plan: ObjectPlan,
    slices: Sequence[SourceSlice],
    segments: Sequence[Segment],
    provenance: Provenance,
) -> Segmentation:
    """Build the SEG of one station; segment k of `segments` becomes segment number k + 1.

    Args:
        plan: station, series number and the seed of the UIDs.
        slices: those of the source, in the order of the masks.
        segments: at least one, each with voxels.
        provenance: software, model and time; the only source of dates and times.

    Raises:
        SourceMismatch: a mask does not have the shape of the source series.

    """
    first = slices[0].header
    shape = (len(slices), int(first.Rows), int(first.Columns))
    for segment in segments:
        if segment.mask.shape != shape:
            message = (
                f"{plan.station}: mask {segment.name} has shape {segment.mask.shape}, "
                f"its source series {shape}"
            )
            raise SourceMismatch(message)
    stamp = Stamp.of(provenance)
    seg = Segmentation(
        source_images=[s.header for s in slices],
        pixel_array=np.stack([s.mask for s in segments], axis=-1),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[
            describe(number, segment, _tracked(segment, plan.uid_seed), provenance)
            for number, segment in enumerate(segments, start=1)
        ],
        series_instance_uid=derived_uid(plan.uid_seed, "seg series", plan.name),
        series_number=plan.series_number,
        sop_instance_uid=derived_uid(plan.uid_seed, "seg", plan.name),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL_NAME,
        software_versions=provenance.software_version,
        device_serial_number=stamp.serial_number,
        content_label="OSTEON_FOCAL" if plan.definition else "OSTEON",
        content_description=_CONTENT[plan.definition],
        content_creator_name="Osteon^Software",
        transfer_syntax_uid=ExplicitVRLittleEndian,
        omit_empty_frames=True,
        series_description=f"{DESCRIPTION_PREFIX} SEG {plan.name}",
        content_qualification=ContentQualificationValues.RESEARCH,
    )
    refer(seg, slices, [[s.reference for s in slices]])
    add_models(seg, provenance)
    settle(seg, stamp)
    return seg
