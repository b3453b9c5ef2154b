"""From the fate of every image to one record per series, and to the study's own reason."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dicom_objects.reading.records import SeriesRecord
from dicom_objects.reading.roles import role_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dicom_objects.reading.frames import Frame
    from dicom_objects.reading.stacks import Refusal

_SIDE_SERIES = ("NO_DIFFUSION", "NOT_MR", "NOT_DICOM", "VENDOR_ADC", "DERIVED_MAP", "COMPUTED_B")
"""Codes that say what a series is; the others say what went wrong with diffusion images."""


def record_of(
    instances: Sequence[Frame], used: Collection[str], refusals: Sequence[Refusal]
) -> SeriesRecord:
    """Record one series: `used` are the SOP Instance UIDs that stations were built from."""
    first = instances[0]
    n_used = sum(i.sop_instance_uid in used for i in instances)
    code, reason = _verdict(n_used, refusals)
    roles = dict.fromkeys(str(role_of(i)) for i in instances)
    sources = dict.fromkeys(i.b.source for i in instances if i.b.value is not None)
    return SeriesRecord(
        series_uid=first.series_uid,
        series_number=first.series_number,
        description=first.series_description,
        role="+".join(roles),
        b_values=tuple(sorted({i.b.value for i in instances if i.b.value is not None})),
        b_source=", ".join(sources),
        n_instances=len(instances),
        geometry=_geometry(instances),
        used=n_used > 0,
        code=code,
        reason=reason,
    )


def not_dicom(n_files: int) -> SeriesRecord:
    """Record the files that are not readable DICOM, as one entry without a series."""
    return SeriesRecord(
        series_uid="",
        series_number=None,
        description="",
        role="not DICOM",
        b_values=(),
        b_source="",
        n_instances=n_files,
        geometry=None,
        used=False,
        code="NOT_DICOM",
        reason=f"{n_files} file(s) are not readable DICOM.",
    )


def study_reason(records: Sequence[SeriesRecord]) -> tuple[str, str]:
    """Return the code and the sentence for a study none of whose series can be used."""
    codes = [r.code for r in records if r.code]
    faults = Counter(code for code in codes if code not in _SIDE_SERIES)
    if faults:
        code = faults.most_common(1)[0][0]
        reason = next(r.reason for r in records if r.code == code)
        return code, f"No station can be measured: {reason}"
    if "COMPUTED_B" in codes:
        return (
            "ONLY_COMPUTED_B",
            "Only computed b-values were sent; send the acquired diffusion images.",
        )
    if set(codes) <= {"NOT_DICOM"}:
        return "NOT_DICOM", "No file is readable DICOM; send MR images as DICOM files."
    if set(codes) <= {"NOT_DICOM", "NOT_MR"}:
        return "NOT_MR", "No MR images were sent; Osteon measures diffusion MRI."
    return (
        "NO_DIFFUSION",
        "No diffusion images were sent; send trace images of at least two b-values.",
    )


def _verdict(n_used: int, refusals: Sequence[Refusal]) -> tuple[str | None, str]:
    if n_used and not refusals:
        return None, "used."
    if n_used:
        left = sum(len(r.instances) for r in refusals)
        return None, f"{n_used} images used, {left} not: {refusals[0].reason}"
    faults = [r for r in refusals if r.code not in _SIDE_SERIES] or list(refusals)
    return faults[0].code, faults[0].reason


def _geometry(instances: Sequence[Frame]) -> str | None:
    planes = [i.plane for i in instances if i.plane is not None]
    if not planes:
        return None
    first = planes[0]
    z = [p.position_mm[2] for p in planes]
    places = len({p.position_mm for p in planes})
    return (
        f"{places} positions of {first.rows} x {first.columns}, "
        f"{first.spacing_mm[0]:.2f} x {first.spacing_mm[1]:.2f} mm, "
        f"z {min(z):.0f} to {max(z):.0f} mm"
    )
