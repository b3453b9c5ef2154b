"""Which images may be fitted at all, and the reason for each that may not (dicom.md A4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dicom_objects.reading.resends import without_resends
from dicom_objects.reading.roles import Role, role_of
from dicom_objects.reading.shells import with_implied_zero
from dicom_objects.reading.volumes import Refusal, Volume, build_volumes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicom_objects.reading.frames import Frame
    from dicom_objects.reading.slices import Reason

SIDE_CODES = (
    "NO_DIFFUSION",
    "NOT_MR",
    "NOT_DICOM",
    "VENDOR_ADC",
    "DERIVED_MAP",
    "COMPUTED_B",
    "DERIVED_B0",
    "OTHER_B0",
    "NEAR_B0",
    "B_NOT_FITTED",
    "TRACE_USED",
    "DUPLICATE",
    "COMPOSED",
    "STATIONS_USED",
    "CORRECTION",
    "INCOMPLETE_REPEAT",
)
"""Codes that say what images are or what is used instead; the others say what went wrong."""

DIFFUSION = (Role.B0, Role.TRACE, Role.DIRECTIONAL, Role.UNSTATED)
"""Roles of acquired signals with a b-value."""

_BY_ROLE: dict[Role, Reason] = {
    Role.NOT_MR: ("NOT_MR", "not MR images."),
    Role.ADC: ("VENDOR_ADC", "the scanner's own ADC map; Osteon fits its own from the images."),
    Role.OTHER: ("DERIVED_MAP", "a map or projection derived from other images, not a signal."),
    Role.COMPUTED: (
        "COMPUTED_B",
        "a computed b-value: calculated from other b-values, so it must not be fitted.",
    ),
    Role.PLAIN: ("NO_DIFFUSION", "no diffusion weighting (no b-value)."),
}
_UNSTATED_B: Reason = (
    "NO_B_VALUE",
    "diffusion images without a b-value in any known place; a de-identifier may have removed it.",
)
_STRIPPED: Reason = (
    "PRIVATE_TAGS_STRIPPED",
    "the de-identifier removed the b-values with the private attributes; keep those.",
)
_UNSTATED_KIND: Reason = (
    "TRACE_UNKNOWN",
    "nothing says whether these are trace images or single directions.",
)


@dataclass(frozen=True, eq=False)
class Screened:
    """One series after screening: its volumes, and what may not be stacked and why.

    `images` are the roles of all images that are left once resent copies are gone.
    """

    images: tuple[tuple[Frame, Role], ...] = field(repr=False)
    volumes: tuple[Volume, ...]
    """Of acquired diffusion images; those with a fault among them."""
    refusals: tuple[Refusal, ...]

    @property
    def series_uid(self) -> str:
        """The series that all images belong to."""
        return self.images[0][0].series_uid


def screen(series: Sequence[Frame]) -> Screened:
    """Sort the images of one series into volumes and refusals; resent copies count once."""
    kept, refusals = without_resends(with_implied_zero(series))
    images = tuple((frame, role_of(frame)) for frame in kept)
    reasons: dict[Reason, list[Frame]] = {}
    judged = []
    for frame, role in images:
        reason = _no_signal(frame, role)
        if reason is None:
            judged.append((frame, role))
        else:
            reasons.setdefault(reason, []).append(frame)
    refusals += [Refusal(tuple(found), *reason) for reason, found in reasons.items()]
    volumes, copies = build_volumes(judged, _unusable)
    return Screened(images or _refused_images(refusals), tuple(volumes), (*refusals, *copies))


def _refused_images(refusals: Sequence[Refusal]) -> tuple[tuple[Frame, Role], ...]:
    return tuple((frame, role_of(frame)) for r in refusals for frame in r.instances)


def _no_signal(frame: Frame, role: Role) -> Reason | None:
    """Say why an image is no acquired diffusion image with a place and a b-value."""
    if role is Role.UNREADABLE:
        return frame.problem
    if role is Role.UNSTATED and frame.b.value is None:
        return _STRIPPED if frame.private_stripped else _UNSTATED_B
    if role in DIFFUSION and frame.plane is None:
        return ("NO_GEOMETRY", "position, orientation or pixel spacing is missing.")
    return _BY_ROLE.get(role)


def _unusable(frame: Frame, role: Role) -> Reason | None:
    """Say why an acquired diffusion image cannot be used."""
    if frame.b.conflict and frame.b.value is not None:
        other, source = frame.b.conflict
        text = f"{frame.b.source} says b {frame.b.value:g} but {source} says {other:g}."
        return ("B_CONFLICT", text)
    if frame.pixels is None:
        return ("NO_PIXELS", "no pixel data.")
    if frame.pixels.lossy:
        return ("LOSSY", "lossy compressed; its intensities cannot be measured.")
    return _UNSTATED_KIND if role is Role.UNSTATED else None
