"""Stacks to stations: all b-values of one bed position, across series (dicom.md A3 R5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicom_objects.shells import fit_refusal
from dicom_objects.stacks import Refusal, Stack, build_stacks, overlap_share, same_grid, same_plane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicom_objects.instances import Instance

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
    by_shell: Mapping[tuple[str, float], Sequence[Instance]],
) -> tuple[tuple[StationStacks, ...], tuple[Refusal, ...]]:
    """Group the images of every (series, shell) into stations, ordered from feet to head."""
    stacks: list[Stack] = []
    refusals: list[Refusal] = []
    for (_, b), instances in by_shell.items():
        found, refused = build_stacks(b, instances)
        stacks += found
        refusals += refused
    stations: list[StationStacks] = []
    clusters = _clusters(stacks)
    for cluster in clusters:
        reason = _reason(cluster, clusters)
        if reason:
            refusals += [Refusal(stack.instances, *reason) for stack in cluster]
        else:
            stations.append(StationStacks(tuple(sorted(cluster, key=lambda s: s.b))))
    return tuple(sorted(stations, key=lambda s: s.centre_z_mm)), tuple(refusals)


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
    refusal = fit_refusal(b_values)
    if refusal and refusal[0] == "ONE_SHELL_ONLY":
        others = (other[0] for other in clusters if other is not cluster)
        near = next((o for o in others if _same_place(cluster[0], o)), None)
        if near is not None:
            return ("SHELL_GEOMETRY_MISMATCH", _mismatch(cluster[0], near))
    return refusal


def _same_place(a: Stack, b: Stack) -> bool:
    return a.b != b.b and overlap_share(a, b) > _MOSTLY and same_plane(a, b)


def _mismatch(a: Stack, b: Stack) -> str:
    return (
        f"b {a.b:g} has {len(a.instances)} slices from {a.range_mm[0]:.1f} to {a.range_mm[1]:.1f}"
        f" mm, b {b.b:g} has {len(b.instances)} from {b.range_mm[0]:.1f} to {b.range_mm[1]:.1f} mm;"
        " slices are missing or shifted."
    )
