"""The focal stage: a list of lesions by a second network, where T1-weighted images are there.

The burden never waits for it: whatever T1 lacks becomes a quality note and an empty list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imaging.body import body_mask
from imaging.errors import GeometryError, ModelMismatch, UnusableImages
from imaging.focal import registered_input
from imaging.focal_lesions import (
    FOCAL_CLASSES,
    NAME_PREFIX,
    FocalLesions,
    focal_labels,
    threshold_of,
)
from imaging.measurement import measure_lesions
from imaging.provenance import ModelIdentity
from imaging.quality import QualityNote
from imaging.resampling import resample
from imaging.t1_body import assemble_t1

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from imaging.burden import Seen
    from imaging.diffusion import Station
    from imaging.focal import FocalInput
    from imaging.measurement import MeasurementSettings
    from workers.inference.model import SegmentationModel

MOVED_MM, FARTHEST_MM = 15.0, 50.0
"""T1 moved by more is told; by more than the second it is no motion but a registration that
failed. Both are Osteon's choice."""
_NEARLY_ALL = 0.95


@dataclass(frozen=True, eq=False)
class FocalFindings:
    """The list, None where there is none, and what a reader should know about it."""

    found: FocalLesions | None = None
    notes: tuple[QualityNote, ...] = ()


def find_focal(
    t1: Sequence[Station],
    seen: Seen,
    model: SegmentationModel | None,
    settings: MeasurementSettings,
    on_progress: Callable[[float], None],
) -> FocalFindings:
    """List focal lesions; nothing where no network is served, and a note where T1 does not do.

    Raises:
        ModelMismatch: the network's classes are not background and lesion, or it wants a channel
            that this software does not make.
        ModelUnavailable: the network cannot answer now.

    """
    if model is None:
        return FocalFindings()
    if model.spec.classes != FOCAL_CLASSES:
        message = (
            f"model {model.spec.name} declares the classes {', '.join(model.spec.classes)}; a "
            f"focal network has {', '.join(FOCAL_CLASSES)}: set models.focal to one"
        )
        raise ModelMismatch(message)
    if not t1:
        return FocalFindings(notes=(_no_t1(),))
    try:
        image = assemble_t1(t1)
        looked = registered_input(seen.fit, seen.geometry, image, model.spec)
    except (UnusableImages, GeometryError) as error:
        return FocalFindings(notes=(_unusable(f"{error}"),))
    if looked.moved_mm > FARTHEST_MM:
        text = f"it was moved by {looked.moved_mm:.0f} mm to fit, which no patient does"
        return FocalFindings(notes=(_unusable(text),))
    found = _listed(looked, seen, model, settings, on_progress)
    return FocalFindings(found, tuple(_notes(found)))


def _listed(
    looked: FocalInput,
    seen: Seen,
    model: SegmentationModel,
    settings: MeasurementSettings,
    on_progress: Callable[[float], None],
) -> FocalLesions:
    spec, adc = model.spec, seen.fit.adc_um2_s
    probability = model.predict(looked.given, on_progress)
    threshold = threshold_of(spec)
    labels = focal_labels(probability, looked, adc, seen.geometry, threshold)
    lesions = measure_lesions(
        adc, seen.anatomy.labels, labels, seen.geometry, settings, NAME_PREFIX
    )
    body = resample(body_mask(seen.fit.s0), seen.geometry, looked.given.geometry, order=0)
    shown = float(looked.shown[body].mean()) if body.any() else 0.0
    identity = ModelIdentity(spec.name, spec.version, spec.sha256)
    return FocalLesions(identity, threshold, lesions, labels, shown, looked.moved_mm)


def _notes(found: FocalLesions) -> list[QualityNote]:
    notes = []
    if found.shown < _NEARLY_ALL:
        text = (
            f"T1-weighted images show {100 * found.shown:.0f} % of the body; no focal lesion can "
            "be listed elsewhere. Burden is measured everywhere."
        )
        notes.append(QualityNote("FOCAL_PARTIAL_T1", "warning", text, found.shown))
    if found.moved_mm > MOVED_MM:
        text = (
            f"The T1-weighted images lie {found.moved_mm:.0f} mm from the diffusion images and "
            "were moved to fit. Check focal lesions on the images."
        )
        notes.append(QualityNote("FOCAL_T1_MOVED", "warning", text, found.moved_mm))
    return notes


def _no_t1() -> QualityNote:
    text = (
        "There are no T1-weighted images that could be used, so focal lesions are not listed; "
        "TDV and gADC need none. The table of series says why."
    )
    return QualityNote("FOCAL_NO_T1", "info", text)


def _unusable(why: str) -> QualityNote:
    text = f"Focal lesions are not listed, T1 could not be used: {why}. TDV and gADC need none."
    return QualityNote("FOCAL_T1_UNUSABLE", "warning", text)
