"""Quality notes that follow from the run itself: what a reader should know beside the numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imaging.b_value_habits import unusual_b_note
from imaging.body import body_mask
from imaging.coverage import coverage_note
from imaging.fat_suppression import fat_suppression_note
from imaging.joints import joint_notes
from imaging.motion import motion_note, shift_between_mm
from imaging.quality import QualityNote
from imaging.quality_limits import USUAL_LIMITS
from imaging.signal_to_noise import low_signal_note, signal_to_noise
from imaging.stations import cut_station

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from dicom_objects.reading.records import DiffusionStudy
    from imaging.adc import AdcFit
    from imaging.measurement import Measurement
    from imaging.normalisation import NormalisedSignal
    from imaging.quality_limits import QualityLimits
    from imaging.stations import Assembly

_Maybe = QualityNote | None
_SLICES_LACK = ("MISSING_SLICES", "UNEVEN_SLICES")
"""Codes of series whose stack has holes."""


@dataclass(frozen=True, eq=False)
class Observations:
    """Everything that quality is judged on, on the whole-body grid of `assembly`."""

    study: DiffusionStudy
    assembly: Assembly
    fit: AdcFit
    labels: NDArray[np.uint8] = field(repr=False)
    signal: NormalisedSignal
    measurement: Measurement

    def notes(self, limits: QualityLimits = USUAL_LIMITS) -> tuple[QualityNote, ...]:
        """Collect the notes of the stages and those that only the whole run shows."""
        body = body_mask(self.fit.s0)
        found = (
            coverage_note(self.measurement.coverage),
            _missing_slices_note(self.study),
            self._of_b_values(limits),
            *joint_notes(self.assembly.joints),
            *self.signal.notes,
            *self._of_stations(body, limits),
            self._of_fat(body, limits),
        )
        return tuple(note for note in found if note is not None)

    def _of_b_values(self, limits: QualityLimits) -> _Maybe:
        if not self.study.has_vendor_adc:
            return unusual_b_note(self.fit.b_values, limits)
        b = self.fit.b_values[-1]
        text = (
            f"Only b {b:g} s/mm² was sent, so ADC is the scanner's own map: with which b-values it"
            " was made is not known. Compare with fitted ADC with care."
        )
        return QualityNote("VENDOR_ADC", "warning", text, b)

    def _of_stations(self, body: NDArray[np.bool_], limits: QualityLimits) -> Iterator[_Maybe]:
        b_values = self.assembly.volume.b_values
        placements = {p.station: p for p in self.assembly.placements}
        ratios, shifts = {}, {}
        for name, volume in ((s.name, s.volume) for s in self.study.stations):
            here = cut_station(body, placements[name])
            low_b, high_b = volume.images[b_values[0]], volume.images[b_values[-1]]
            ratios[name] = signal_to_noise(high_b, here, volume.geometry, limits)
            shifts[name] = shift_between_mm(low_b, high_b, here, volume.geometry)
        yield low_signal_note(ratios, limits)
        yield motion_note(shifts, self.assembly.volume.geometry, limits)

    def _of_fat(self, body: NDArray[np.bool_], limits: QualityLimits) -> _Maybe:
        if not self.signal.accepted:  # then signal has no unit
            return None
        adc, grid = self.fit.adc_um2_s, self.assembly.volume.geometry
        return fat_suppression_note(self.signal.image, adc, body, self.labels, grid, limits)


def _missing_slices_note(study: DiffusionStudy) -> QualityNote | None:
    """Name the series that were left out, in part or whole, because their slices have holes."""
    lacking = [record for record in study.series if set(record.faults) & set(_SLICES_LACK)]
    if not lacking:
        return None
    numbers = ", ".join(str(r.series_number) for r in lacking if r.series_number is not None)
    named = f" (series {numbers})" if numbers else ""
    text = (
        f"{len(lacking)} series{named} lack slices; the volumes with holes were left out, and what "
        "only they show is not measured. Send them again in full."
    )
    return QualityNote("MISSING_SLICES", "warning", text, float(len(lacking)))
