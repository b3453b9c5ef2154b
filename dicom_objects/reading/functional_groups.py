"""One frame's attributes in an enhanced or legacy converted object (PS3.3 C.7.6.16).

Each attribute is read from the sequence that the standard puts it in, the frame's own before the
shared one. Vendors nest copies of standard attributes in private sequences, some with empty
values, and their positions may differ (Philips (2005,140F)): those never win.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicom_objects.attributes import InstanceHeader, attribute

if TYPE_CHECKING:
    from pydicom import Dataset

_DIFFUSION = "MRDiffusionSequence"
_HOME: dict[str, tuple[str, ...]] = {
    "DiffusionBValue": (_DIFFUSION,),
    "DiffusionDirectionality": (_DIFFUSION,),
    "DiffusionGradientDirectionSequence": (_DIFFUSION,),
    "DiffusionBMatrixSequence": (_DIFFUSION,),
    "EffectiveEchoTime": ("MREchoSequence",),
    "FrameType": ("MRImageFrameTypeSequence",),
    "ImagePositionPatient": ("PlanePositionSequence",),
    "ImageOrientationPatient": ("PlaneOrientationSequence",),
    "PixelSpacing": ("PixelMeasuresSequence",),
    "RescaleSlope": ("PixelValueTransformationSequence",),
    "RescaleIntercept": ("PixelValueTransformationSequence",),
    "FrameAcquisitionNumber": ("FrameContentSequence",),
    "TemporalPositionIndex": ("FrameContentSequence",),
    "FrameAcquisitionDateTime": ("FrameContentSequence",),
    "StackID": ("FrameContentSequence",),
}
_OWN_LEFTOVERS = "UnassignedPerFrameConvertedAttributesSequence"
_SHARED_LEFTOVERS = "UnassignedSharedConvertedAttributesSequence"


class FunctionalGroups:
    """The attributes of one frame.

    What a converter to the legacy form found no place for, private b-values above all, stands in
    the unassigned attributes (C.7.6.16.2.25); the frame's are asked before the shared.
    """

    def __init__(self, own: Dataset, shared: Dataset) -> None:
        """Take the frame's item of the per-frame groups, and the item of the shared groups."""
        self._layers = (own, shared)
        found = (_item(own, (_OWN_LEFTOVERS,)), _item(shared, (_SHARED_LEFTOVERS,)))
        self._leftovers = tuple(InstanceHeader(d) for d in found if d is not None)
        self.has_private_groups = any(d.has_private_groups for d in self._leftovers)

    def get(self, key: str, /) -> Any:  # noqa: ANN401
        """Return the first value that is not empty, None when there is none."""
        value = self.at_home(key)
        if not _empty(value):
            return value
        found = (d.get(key) for d in self._leftovers)
        return next((v for v in found if not _empty(v)), None)

    def at_home(self, key: str) -> Any:  # noqa: ANN401
        """Return the value in the sequence that the standard puts the attribute in."""
        home = _HOME.get(key)
        for layer in self._layers if home else ():
            item = _item(layer, home or ())
            value = None if item is None else attribute(item, key)
            if not _empty(value):
                return value
        return None

    def private(self, group: int, creator: str, offset: int) -> Any:  # noqa: ANN401
        """Return the private element of a converted classic instance."""
        found = (d.private(group, creator, offset) for d in self._leftovers)
        return next((v for v in found if not _empty(v)), None)

    def unowned(self, group: int, offset: int) -> Any:  # noqa: ANN401
        """Return the element of block 0x10 when no creator of its group is left at all."""
        found = (d.unowned(group, offset) for d in self._leftovers)
        return next((v for v in found if not _empty(v)), None)


def _item(dataset: Dataset, path: tuple[str, ...]) -> Dataset | None:
    """Follow first items along sequences; None where one is missing or empty."""
    found: Dataset | None = dataset
    for keyword in path:
        items = None if found is None else attribute(found, keyword)
        found = items[0] if items else None
    return found


def _empty(value: Any) -> bool:  # noqa: ANN401
    return value is None or (hasattr(value, "__len__") and len(value) == 0)
