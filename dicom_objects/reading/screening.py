"""Which images may be fitted at all, and the reason for each that may not (dicom.md A4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dicom_objects.reading.roles import Role, role_of
from dicom_objects.reading.shells import with_implied_zero
from dicom_objects.reading.stacks import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicom_objects.reading.frames import Frame

Reason = tuple[str, str]

FAULTS = ("UID_CONFLICT", "B_CONFLICT", "LOSSY", "NO_PIXELS")
"""Codes of diffusion images that belong to a station but cannot be used."""

_BY_ROLE: dict[Role, Reason] = {
    Role.NOT_MR: ("NOT_MR", "not MR images."),
    Role.ENHANCED: (
        "ENHANCED_NOT_YET",
        "enhanced (multi-frame) MR is not read yet; send the classic form.",
    ),
    Role.MOSAIC: ("MOSAIC_UNSUPPORTED", "mosaic images are not read; send single slices."),
    Role.ADC: ("VENDOR_ADC", "the scanner's own ADC map; Osteon fits its own from the images."),
    Role.OTHER: ("DERIVED_MAP", "a map or projection derived from other images, not a signal."),
    Role.COMPUTED: (
        "COMPUTED_B",
        "a computed b-value: calculated from other b-values, so it must not be fitted.",
    ),
    Role.DIRECTIONAL: (
        "DIRECTIONS_ONLY",
        "single diffusion directions; only trace images are read yet.",
    ),
    Role.PLAIN: ("NO_DIFFUSION", "no diffusion weighting (no b-value)."),
}
_UNSTATED_B: Reason = (
    "NO_B_VALUE",
    "diffusion images without a b-value in any known place; a de-identifier may have removed it.",
)
_UNSTATED_KIND: Reason = (
    "TRACE_UNKNOWN",
    "nothing says whether these are trace images or single directions.",
)


@dataclass(frozen=True, eq=False)
class Screened:
    """One series after screening: what may be stacked, and what may not and why."""

    instances: tuple[Frame, ...] = field(repr=False)
    candidates: tuple[Frame, ...] = field(repr=False)
    refusals: tuple[Refusal, ...]


def screen(series: Sequence[Frame]) -> Screened:
    """Sort the images of one series into candidates and refusals; resent copies count once."""
    instances, refusals = _without_resends(with_implied_zero(series))
    candidates: list[Frame] = []
    reasons: dict[Reason, list[Frame]] = {}
    for instance in instances:
        reason = _reason(instance, role_of(instance))
        if reason is None:
            candidates.append(instance)
        else:
            reasons.setdefault(reason, []).append(instance)
    refusals += [Refusal(tuple(found), *reason) for reason, found in reasons.items()]
    return Screened(instances, tuple(candidates), tuple(refusals))


def _reason(instance: Frame, role: Role) -> Reason | None:
    if role is Role.UNSTATED:
        return _UNSTATED_B if instance.b.value is None else _UNSTATED_KIND
    return _BY_ROLE.get(role) or _unusable(instance)


def _unusable(instance: Frame) -> Reason | None:
    if instance.b.conflict:
        other, source = instance.b.conflict
        text = f"{instance.b.source} says b {instance.b.value:g} but {source} says {other:g}."
        return ("B_CONFLICT", text)
    if instance.plane is None:
        return ("NO_GEOMETRY", "position, orientation or pixel spacing is missing.")
    if instance.pixels is None:
        return ("NO_PIXELS", "no pixel data.")
    if instance.pixels.lossy:
        return ("LOSSY", "lossy compressed; its intensities cannot be measured.")
    return None


def _without_resends(
    instances: Sequence[Frame],
) -> tuple[tuple[Frame, ...], list[Refusal]]:
    """Keep one of each SOP Instance UID; refuse the series when two differ under one UID."""
    first: dict[str, Frame] = {}
    for instance in instances:
        kept = first.setdefault(instance.sop_instance_uid, instance)
        if kept is not instance and kept.path.read_bytes() != instance.path.read_bytes():
            text = "two different images carry one SOP Instance UID; nothing tells which is right."
            return tuple(instances), [Refusal(tuple(instances), "UID_CONFLICT", text)]
    return tuple(first.values()), []
