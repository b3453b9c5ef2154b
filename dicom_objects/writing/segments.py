"""Which segments a station has, and how each is described (PS3.3 C.8.20.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription
from highdicom.sr import CodedConcept

from dicom_objects.writing import codes
from imaging.anatomy import STRUCTURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pydicom.sr.coding import Code

    from imaging.focal_lesions import FocalLesions
    from imaging.measurement import LesionMeasurement
    from imaging.provenance import Provenance


@dataclass(frozen=True, eq=False)
class Segment:
    """One segment of one station: mask is bool (slice, row, column) in the station's order."""

    name: str
    """A structure's name or a lesion's, such as "L01"; tracks it across stations."""
    title: str
    region: str
    """The structure that it is, or that the lesion lies in."""
    is_lesion: bool
    mask: NDArray[np.bool_] = field(repr=False)
    focal: FocalLesions | None = None
    """The list that a focal lesion is of; None: a structure, or a lesion of the burden."""
    tracking_uid: str = ""
    """Of a lesion that is followed through studies; empty: this study's alone."""


def segments_of(
    labels: NDArray[np.uint8],
    lesion_labels: NDArray[np.uint16],
    lesions: Sequence[LesionMeasurement],
) -> tuple[Segment, ...]:
    """Return the segments that have voxels here, structures first; empty ones are left out.

    Bones keep their voxels under a lesion, so segments overlap.
    """
    present = np.bincount(labels.reshape(-1), minlength=len(STRUCTURES))
    found = [
        Segment(s.name, s.title, s.name, is_lesion=False, mask=labels == s.label)
        for s in STRUCTURES[1:]
        if present[s.label]
    ]
    here = set(np.unique(lesion_labels).tolist())
    found += [
        Segment(
            lesion.name,
            f"Bone lesion {lesion.label}",
            lesion.region,
            is_lesion=True,
            mask=lesion_labels == lesion.label,
            tracking_uid=lesion.tracking_uid,
        )
        for lesion in lesions
        if lesion.label in here
    ]
    return tuple(found)


def focal_segments_of(labels: NDArray[np.uint16], focal: FocalLesions) -> tuple[Segment, ...]:
    """Return the focal lesions that have voxels here; `labels` are cut to the station."""
    here = set(np.unique(labels).tolist())
    return tuple(
        Segment(
            lesion.name,
            f"Focal lesion {lesion.label}",
            lesion.region,
            is_lesion=True,
            mask=labels == lesion.label,
            focal=focal,
        )
        for lesion in focal.lesions
        if lesion.label in here
    )


def describe(
    number: int, segment: Segment, tracking_uid: str, provenance: Provenance
) -> SegmentDescription:
    """Return the item of the Segment Sequence for segment `number`."""
    code = codes.code_of(segment.region)
    of_lesions = codes.FOCAL_COLOUR if segment.focal else codes.LESION_COLOUR
    colour = of_lesions if segment.is_lesion else code.colour
    category, kind = (
        (codes.MORPHOLOGICALLY_ABNORMAL, codes.LESION)
        if segment.is_lesion
        else (codes.ANATOMICAL_STRUCTURE, code.kind)
    )
    item = SegmentDescription(
        segment_number=number,
        segment_label=segment.title,
        segmented_property_category=category,
        segmented_property_type=kind,
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=_algorithm(segment, provenance),
        tracking_uid=tracking_uid,
        tracking_id=segment.name,
        anatomic_regions=[code.kind] if segment.is_lesion else None,
        display_color=CIELabColor.from_rgb(*colour),
    )
    if segment.is_lesion:
        # By hand: highdicom has no argument for the Segment Description (0062,0006).
        item.SegmentDescription = f"Part of the {_definition(segment, provenance)}"
    _add_laterality(item, segment, code.laterality)
    return item


def _definition(segment: Segment, provenance: Provenance) -> str:
    return segment.focal.in_words() if segment.focal else provenance.burden.in_words()


def _add_laterality(item: SegmentDescription, segment: Segment, side: Code | None) -> None:
    """Set the side by hand: highdicom has no argument for it (Table C.8.20-4)."""
    if side is None:
        return
    modifier = CodedConcept(side.value, side.scheme_designator, side.meaning)
    if segment.is_lesion:
        item.AnatomicRegionSequence[0].AnatomicRegionModifierSequence = [modifier]
    else:
        item.SegmentedPropertyTypeModifierCodeSequence = [modifier]


def _algorithm(segment: Segment, provenance: Provenance) -> AlgorithmIdentificationSequence:
    """Name the model that drew it; where a rule drew lesions, the software."""
    models = {f"model {m.name} {m.version}": f"sha256 {m.sha256}" for m in provenance.models}
    anatomy = provenance.models[0] if provenance.models else None
    author = provenance.burden.model if segment.is_lesion else anatomy
    author = segment.focal.model if segment.focal else author
    method = {"lesions": _definition(segment, provenance)}
    return AlgorithmIdentificationSequence(
        name=author.name if author else "Osteon bone disease",
        family=codes.ARTIFICIAL_INTELLIGENCE,
        version=author.version if author else provenance.software_version,
        source="Osteon project (research software)",
        parameters={**models, **method, "settings digest": provenance.settings_digest},
    )
