"""From the fate of every image to one record per series, and to the study's own reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from dicom_objects.reading.damage import ROLE as DAMAGED_ROLE
from dicom_objects.reading.records import SeriesRecord
from dicom_objects.reading.screening import SIDE_CODES
from dicom_objects.reading.series_content import (
    Extent,
    b_labels_of,
    b_values_of,
    content_of,
    extent_of,
    trace_of,
    volumes_of,
)
from dicom_objects.reading.series_notes import notes_by_series
from dicom_objects.reading.vendor_adc import NOT_NEEDED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from dicom_objects.reading.frames import Frame
    from dicom_objects.reading.screening import Screened
    from dicom_objects.reading.stations import StationStacks
    from dicom_objects.reading.study_plan import StudyPlan
    from dicom_objects.reading.volumes import Refusal

_NO_DIFFUSION_CODES = (
    "NO_DIFFUSION",
    "NOT_MR",
    "NOT_DICOM",
    "VENDOR_ADC",
    "DERIVED_MAP",
    "COMPUTED_B",
)
_STUDY_REFUSED = "STUDY_REFUSED"


def records_of(
    plan: StudyPlan, stations: Sequence[StationStacks], undecoded: Sequence[Refusal] = ()
) -> list[SeriesRecord]:
    """Record every series: `stations` are those that are used, `undecoded` what failed late."""
    used = {id(f) for s in stations for f in s.frames}
    refusals: dict[str, list[Refusal]] = {}
    for refusal in (*_of_maps_left(plan.refusals, used), *undecoded):
        refusals.setdefault(refusal.instances[0].series_uid, []).append(refusal)
    notes = notes_by_series(plan, stations)
    return [
        _record(one, used, refusals.get(one.series_uid, []), notes.get(one.series_uid, []))
        for one in plan.screened
    ]


def _of_maps_left(refusals: Sequence[Refusal], used: Collection[int]) -> Iterator[Refusal]:
    """Say of an ADC map that it is not used only where it is not."""
    for refusal in refusals:
        if refusal.code != NOT_NEEDED:
            yield refusal
        elif left := tuple(f for f in refusal.instances if id(f) not in used):
            yield replace(refusal, instances=left)


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
    damage = next((r for r in records if r.role == DAMAGED_ROLE), None)
    if damage is not None:  # what else is wrong follows from it: holes, stations without a b-value
        return str(damage.code), f"No station can be measured: {damage.reason}"
    faults = Counter(code for code in codes if code not in (*_NO_DIFFUSION_CODES, _STUDY_REFUSED))
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


def _record(
    one: Screened, used: Collection[int], refusals: Sequence[Refusal], notes: Sequence[str]
) -> SeriesRecord:
    first = one.images[0][0]
    n_used = sum(id(frame) in used for frame, _ in one.images)
    code, reason = _verdict(n_used, refusals)
    content = content_of(one.images, used=n_used > 0)
    extent = extent_of(one.images)
    copies = {id(f) for r in refusals if r.code == "DUPLICATE" for f in r.instances}
    volumes = [v for v in one.volumes if id(v.first) not in copies]
    diffusion = content not in {"adc", "other"}
    return SeriesRecord(
        series_uid=first.series_uid,
        series_number=first.series_number,
        description=first.series_description,
        role="+".join(dict.fromkeys(str(role) for _, role in one.images)),
        b_values=b_values_of(one.images, content),
        b_source=_b_source([frame for frame, _ in one.images]) if diffusion else "",
        n_instances=len({frame.sop_instance_uid for frame, _ in one.images}),
        geometry=_for_people(extent, [frame for frame, _ in one.images]),
        used=n_used > 0,
        code=code,
        reason=reason,
        content=content,
        b_labels=b_labels_of(one.images, content),
        volumes=volumes_of(volumes) if diffusion else (),
        n_slices=extent.n_slices,
        rows=extent.rows,
        columns=extent.columns,
        spacing_mm=extent.spacing_mm,
        slice_range_mm=extent.slice_range_mm,
        trace=trace_of(volumes) if diffusion else (),
        notes=tuple(notes),
        faults=tuple(dict.fromkeys(r.code for r in refusals if r.code not in SIDE_CODES)),
    )


def _b_source(frames: Sequence[Frame]) -> str:
    return ", ".join(dict.fromkeys(f.b.source for f in frames if f.b.value is not None))


def _verdict(n_used: int, refusals: Sequence[Refusal]) -> tuple[str | None, str]:
    faults = [r for r in refusals if r.code not in SIDE_CODES] or list(refusals)
    if n_used and not refusals:
        return None, "used."
    if n_used:
        return None, f"{n_used} images used; not: {_by_reason(refusals)}"
    if not faults:
        return _STUDY_REFUSED, "could be used, but the study as a whole is refused."
    return faults[0].code, faults[0].reason


def _by_reason(refusals: Sequence[Refusal]) -> str:
    """Name every reason, the one of most images first."""
    counted: Counter[str] = Counter()
    for refusal in refusals:
        counted[refusal.reason.rstrip(".")] += len(refusal.instances)
    return "; ".join(f"{n} ({reason})" for reason, n in counted.most_common()) + "."


def _for_people(extent: Extent, frames: Sequence[Frame]) -> str | None:
    if extent.n_slices is None:
        return None
    z = [f.plane.position_mm[2] for f in frames if f.plane is not None]
    size = f"{extent.n_slices} x {extent.rows} x {extent.columns}"
    if extent.spacing_mm is None:
        return f"{size}, z {z[0]:.0f} mm"
    rows, columns, slices = extent.spacing_mm
    spacing = f"{slices:.4g} x {rows:.3g} x {columns:.3g} mm"
    return f"{size}, {spacing}, z {min(z):.0f} to {max(z):.0f} mm"
