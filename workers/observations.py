"""Quality notes that follow from the run itself: what a reader should know beside the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaging.quality import QualityNote

if TYPE_CHECKING:
    from imaging.measurement import Measurement
    from imaging.normalisation import NormalisedSignal
    from imaging.stations import Assembly

RESIDUAL_STEP = 0.10
"""A signal step between stations above this share is seen in a MIP."""
PARTIAL_COVERAGE = 0.5
"""A region of which less is in the images is named."""


def quality_notes(
    assembly: Assembly, signal: NormalisedSignal, measurement: Measurement
) -> tuple[QualityNote, ...]:
    """Collect the notes of the stages and those that only the whole run shows."""
    return (*_steps(assembly), *signal.notes, *_coverage(measurement))


def _steps(assembly: Assembly) -> tuple[QualityNote, ...]:
    return tuple(
        QualityNote(
            "STATION_STEP",
            "warning",
            f"signal steps by {joint.residual_step:.0%} between {joint.lower} and {joint.upper} "
            "after correction; compare signal across the joint with care",
            joint.residual_step,
        )
        for joint in assembly.joints
        if abs(joint.residual_step) > RESIDUAL_STEP
    )


def _coverage(measurement: Measurement) -> tuple[QualityNote, ...]:
    missing = [
        region.title
        for region in measurement.regions
        if region.coverage is not None and region.coverage < PARTIAL_COVERAGE
    ]
    if not missing:
        return ()
    sentence = f"not or only partly in the images: {', '.join(missing)}; TDV leaves them out"
    return (QualityNote("REGIONS_MISSING", "warning", sentence, float(len(missing))),)
