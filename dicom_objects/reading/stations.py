"""Stacks to stations: all b-values of one bed position, across series (dicom.md A3 R5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicom_objects.reading.shells import fit_refusal
from dicom_objects.reading.stacks import (
    Refusal,
    Stack,
    build_stacks,
    covers,
    overlap_share,
    same_grid,
    same_plane,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicom_objects.reading.frames import Frame

_MOSTLY = 0.5
"""Two stacks that share more than this of their extent are the same place on other grids."""


@dataclass(frozen=True, eq=False)
class StationStacks:
    """The stacks of one bed position by ascending b-value."""

    stacks: tuple[Stack, ...]

    @property
    def centre_z_mm(self) -> float:
        """Position of the middle along the patient's axis from feet to head."""
        geometry = self.stacks[0].geometry
        middle = [(n - 1) / 2 for n in geometry.shape]
        return float(geometry.to_patient_mm(middle)[2])


def build_stations(
    by_shell: Mapping[tuple[str, float], Sequence[Frame]], faults: Sequence[Refusal] = ()
) -> tuple[tuple[StationStacks, ...], tuple[Refusal, ...]]:
    """Group the images of every (series, shell) into stations, ordered from feet to head.

    A station is refused when one of its b-values was sent but cannot be used (`faults`, or slices
    missing), and when it lacks the high b-value that most stations have: measuring it on the
    b-values that are left would change what its numbers mean.
    """
    stacks: list[Stack] = []
    refusals: list[Refusal] = []
    for (_, b), instances in by_shell.items():
        found, refused = build_stacks(b, instances)
        stacks += found
        refusals += refused
    broken = [*refusals, *faults]
    stations: list[list[Stack]] = []
    clusters = _clusters(stacks)
    for cluster in clusters:
        reason = _broken_shell(cluster, broken) or _reason(cluster, clusters)
        if reason:
            refusals += [Refusal(stack.instances, *reason) for stack in cluster]
        else:
            stations.append(sorted(cluster, key=lambda s: s.b))
    kept, without_high_b = _same_high_b(stations)
    ordered = sorted((StationStacks(tuple(s)) for s in kept), key=lambda s: s.centre_z_mm)
    return tuple(ordered), (*refusals, *without_high_b)


def _broken_shell(cluster: list[Stack], broken: Sequence[Refusal]) -> tuple[str, str] | None:
    """Find a b-value that was sent for this place, cannot be used, and is not there otherwise."""
    for refusal in broken:
        for instance in refusal.instances:
            b = instance.b.value
            known = b is None or any(abs(b - s.b) <= max(5.0, 0.05 * s.b) for s in cluster)
            if not known and covers(cluster[0], instance):
                return refusal.code, f"b {b:g} of this position: {refusal.reason}"
    return None


def _same_high_b(stations: list[list[Stack]]) -> tuple[list[list[Stack]], list[Refusal]]:
    if not stations:
        return [], []
    highest = [station[-1].b for station in stations]
    usual = max(highest, key=lambda b: (highest.count(b), b))
    kept = [s for s in stations if any(stack.b == usual for stack in s)]
    text = f"the other stations have b {usual:g}, this position has not; send the missing series."
    lacking = [s for s in stations if s not in kept]
    return kept, [Refusal(stack.instances, "MISSING_B_VALUE", text) for s in lacking for stack in s]


def _clusters(stacks: Sequence[Stack]) -> list[list[Stack]]:
    clusters: list[list[Stack]] = []
    for stack in stacks:
        home = next((c for c in clusters if same_grid(c[0], stack)), None)
        if home is None:
            clusters.append([stack])
        else:
            home.append(stack)
    return clusters


def _reason(cluster: list[Stack], clusters: list[list[Stack]]) -> tuple[str, str] | None:
    b_values = [stack.b for stack in cluster]
    if max(b_values) <= 10:
        return ("NO_DIFFUSION", "only b 0 was sent for this position; no diffusion weighting.")
    if len(set(b_values)) < len(b_values):
        twice = next(b for b in b_values if b_values.count(b) > 1)
        text = f"b {twice:g} was sent more than once for this position; which to use is not said."
        return ("REPEATED_SHELL", text)
    others = (stack for other in clusters if other is not cluster for stack in other)
    near = next((o for o in others if o.b not in b_values and _same_place(cluster[0], o)), None)
    if near is not None:
        return ("SHELL_GEOMETRY_MISMATCH", _mismatch(cluster[0], near))
    return fit_refusal(b_values)


def _same_place(a: Stack, b: Stack) -> bool:
    return overlap_share(a, b) > _MOSTLY and same_plane(a, b)


def _mismatch(a: Stack, b: Stack) -> str:
    return (
        f"b {a.b:g} has {len(a.instances)} slices from {a.range_mm[0]:.1f} to {a.range_mm[1]:.1f}"
        f" mm, b {b.b:g} has {len(b.instances)} from {b.range_mm[0]:.1f} to {b.range_mm[1]:.1f} mm;"
        " slices are missing or shifted."
    )
