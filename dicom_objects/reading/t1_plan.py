"""Which T1-weighted images stand beside the diffusion stations, and why each series is used or not.

T1 serves the list of focal lesions only. Whatever is wrong with it becomes a sentence in the
record of its series, never a reason to refuse the study.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.reading.pixels import UndecodablePixels, load_image
from dicom_objects.reading.planes import plane_of
from dicom_objects.reading.roles import Role, is_composed
from dicom_objects.reading.t1_weighting import fault_of_t1, is_candidate, read_parameters
from dicom_objects.reading.volumes import build_volumes
from imaging.diffusion import DiffusionVolume, Station

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dicom_objects.reading.frames import Frame
    from dicom_objects.reading.records import SeriesRecord
    from dicom_objects.reading.slices import Reason
    from dicom_objects.reading.study_plan import StudyPlan
    from dicom_objects.reading.volumes import Volume
    from imaging.geometry import Geometry

_LEAST_SHARE = 0.5
"""Of the diffusion's box along each axis of the patient; less is a spine or a joint, no body."""
_ONE_PLACE = 0.5
_USED = "T1-weighted: used for the list of focal lesions, with the diffusion images."


@dataclass(frozen=True, eq=False)
class T1Plan:
    """The chosen volumes from feet to head, and (code, sentence) of every T1-weighted series.

    The code is None where the series is used.
    """

    volumes: tuple[Volume, ...] = ()
    verdicts: Mapping[str, tuple[str | None, str]] = field(default_factory=dict)


def plan_t1(plan: StudyPlan) -> T1Plan:
    """Choose from headers; pixels are read only where two objects may be copies of one image."""
    verdicts: dict[str, tuple[str | None, str]] = {}
    volumes: list[Volume] = []
    if not plan.stations:
        return T1Plan()
    for one in plan.screened:
        frames = [frame for frame, role in one.images if role is Role.PLAIN and frame.plane]
        if not frames or not is_candidate(frames[0], how := read_parameters(frames[0])):
            continue
        fault = fault_of_t1(frames[0], how)
        sound, reason = ([], fault) if fault else _sound(frames)
        volumes += sound
        if not sound and reason:
            verdicts[one.series_uid] = reason
    return _chosen(volumes, plan, verdicts)


def load_t1(plan: T1Plan) -> tuple[tuple[Station, ...], T1Plan]:
    """Load the chosen volumes as stations with one image each; none if one cannot be decoded."""
    stations = []
    for k, volume in enumerate(plan.volumes, start=1):
        try:
            images = {0.0: load_image(volume.frames)}
        except UndecodablePixels as error:
            uids = {v.first.series_uid for v in plan.volumes}
            verdict = (error.code, f"{error}.")
            return (), T1Plan((), {**plan.verdicts, **dict.fromkeys(uids, verdict)})
        stations.append(Station(f"T1 station {k}", DiffusionVolume(volume.grid, images)))
    return tuple(stations), plan


def with_t1(records: Sequence[SeriesRecord], plan: T1Plan) -> list[SeriesRecord]:
    """Return the records, those of T1-weighted series with what became of them."""
    told = []
    for record in records:
        if record.series_uid not in plan.verdicts:
            told.append(record)
            continue
        code, reason = plan.verdicts[record.series_uid]
        told.append(
            replace(record, role="t1", content="t1", used=code is None, code=code, reason=reason)
        )
    return told


def _sound(frames: Sequence[Frame]) -> tuple[list[Volume], Reason | None]:
    """Build volumes and keep those without a fault; else return the first fault."""
    built, _ = build_volumes([(frame, Role.PLAIN) for frame in frames], _unusable)
    faults = [volume.fault for volume in built if volume.fault]
    return [v for v in built if v.geometry is not None], faults[0] if faults else None


def _unusable(frame: Frame, _: Role) -> Reason | None:
    if frame.pixels is None:
        return ("NO_PIXELS", "no pixel data.")
    if frame.pixels.lossy:
        return ("LOSSY", "lossy compressed; its intensities cannot be measured.")
    return None


def _chosen(
    volumes: Sequence[Volume], plan: StudyPlan, verdicts: dict[str, tuple[str | None, str]]
) -> T1Plan:
    """Keep the acquisition that shows most of the body; say of the others what they are."""
    places = [station.stacks[0].geometry for station in plan.stations]
    frames = {g.frame_of_reference_uid for g in places}
    body = _box([_box_of(g) for g in places])
    here = [v for v in volumes if v.kind.frame_of_reference_uid in frames]
    for volume in volumes:
        reason = "another frame of reference than the diffusion images: where it lies is not known."
        if volume not in here:
            verdicts.setdefault(volume.first.series_uid, ("T1_FRAME_OF_REFERENCE", reason))
    groups: dict[tuple[object, ...], list[Volume]] = {}
    for volume in here:
        groups.setdefault(_acquisition(volume), []).append(volume)
    ranked = sorted(groups.values(), key=lambda g: _rank(g, body))
    for n, group in enumerate(ranked):
        share = _share(group, body)
        short = f"T1-weighted, but shows {100 * share:.0f} % of the length or less of the width."
        no = ("T1_OTHER", "T1-weighted; other T1-weighted images show more of the body.")
        no = ("T1_COVERAGE", short) if n == 0 and share < _LEAST_SHARE else no
        for volume in group:
            verdicts.setdefault(volume.first.series_uid, no)
    if not ranked or _share(ranked[0], body) < _LEAST_SHARE:
        return T1Plan((), verdicts)
    kept = _one_a_place(ranked[0])
    verdicts |= dict.fromkeys((v.first.series_uid for v in kept), (None, _USED))
    return T1Plan(tuple(kept), verdicts)


def _acquisition(volume: Volume) -> tuple[object, ...]:
    """Return what the stations of one acquisition share."""
    plane = plane_of(volume.first)
    return (
        tuple(round(v, 1) for v in plane.orientation),
        tuple(round(v, 2) for v in plane.spacing_mm),
        round(volume.first.echo_time_ms or 0.0, 1),
        volume.first.patient_position,
        is_composed(volume.first),
    )


def _rank(group: Sequence[Volume], body: NDArray[np.float64]) -> tuple[float, bool, int]:
    first = min(v.first.series_number or 0 for v in group)
    return -round(_share(group, body), 1), is_composed(group[0].first), first


def _share(group: Sequence[Volume], body: NDArray[np.float64]) -> float:
    """Return the share of the body's length that is shown; 0 where width or depth is missing."""
    boxes = [_box_of(v.grid) for v in group]
    whole = _box(boxes)
    shared = np.clip(np.minimum(whole[1], body[1]) - np.maximum(whole[0], body[0]), 0, None)
    share = shared / np.maximum(body[1] - body[0], 1e-6)
    if (share[:2] < _LEAST_SHARE).any():
        return 0.0
    ranges = sorted((max(b[0, 2], body[0, 2]), min(b[1, 2], body[1, 2])) for b in boxes)
    covered, reached = 0.0, -np.inf
    for low, high in ranges:
        covered += max(0.0, high - max(low, reached))
        reached = max(reached, high)
    return float(covered / max(body[1, 2] - body[0, 2], 1e-6))


def _one_a_place(group: Sequence[Volume]) -> list[Volume]:
    """Keep the first of volumes at one place, then order from feet to head."""
    kept: list[Volume] = []
    for volume in sorted(group, key=lambda v: (v.first.series_number or 0, v.first.series_uid)):
        box = _box_of(volume.grid)
        if not any(_mostly_the_same(box, _box_of(other.grid)) for other in kept):
            kept.append(volume)
    return sorted(kept, key=lambda v: float(_box_of(v.grid)[:, 2].mean()))


def _mostly_the_same(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    shared = min(a[1, 2], b[1, 2]) - max(a[0, 2], b[0, 2])
    return bool(shared > _ONE_PLACE * min(a[1, 2] - a[0, 2], b[1, 2] - b[0, 2]))


def _box_of(geometry: Geometry) -> NDArray[np.float64]:
    """Return the lowest and the highest LPS mm of all voxel centres, with half a voxel around."""
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in geometry.shape], indexing="ij"))
    points = geometry.to_patient_mm(corners.reshape(3, -1).T)
    return np.stack([points.min(axis=0), points.max(axis=0)])


def _box(boxes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    together = np.stack(boxes)
    return np.stack([together[:, 0].min(axis=0), together[:, 1].max(axis=0)])
