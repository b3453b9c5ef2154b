"""Atlases registered to one scan, their labels carried onto it and averaged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imaging.registration import coarse_image, register
from imaging.warps import carry_shares

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from imaging.geometry import Geometry
    from imaging.model import ModelInput
    from imaging.registration import RegistrationImage, RegistrationSettings
    from training.cases import Case


@dataclass(frozen=True, eq=False)
class Atlas:
    """A labelled body, ready to be registered: what does not depend on the scan is done once."""

    name: str
    image: RegistrationImage
    labels: NDArray[np.uint8] = field(repr=False)
    geometry: Geometry
    held: tuple[int, ...]
    """Foreground labels that it holds."""


def prepare_atlas(case: Case, settings: RegistrationSettings) -> Atlas:
    """Make an atlas of a labelled case."""
    given = case.model_input
    held = tuple(int(label) for label in np.unique(case.labels) if label > 0)
    image = coarse_image(given.array, given.geometry, settings.spacing_mm)
    return Atlas(case.name, image, case.labels, given.geometry, held)


def probability_by_atlas(
    given: ModelInput, atlases: Sequence[Atlas], settings: RegistrationSettings, classes: int
) -> NDArray[np.float32]:
    """Return probabilities float32 (class, slice, row, column) on the scan's grid."""
    scan = coarse_image(given.array, given.geometry, settings.spacing_mm)
    carried = (_carried(atlas, scan, given.geometry, settings) for atlas in atlases)
    return average(carried, classes, given.geometry.shape)


def average(
    votes: Iterable[tuple[Sequence[int], NDArray[np.float32]]],
    classes: int,
    shape: tuple[int, int, int],
) -> NDArray[np.float32]:
    """Return the mean of what the atlases say, each with the same weight.

    Args:
        votes: from each atlas its foreground labels and their shares (label, *shape), 0 to 1.
        classes: how many classes the answer has, background first.
        shape: of the scan's grid; without any vote all of it is background.

    """
    total = np.zeros((classes, *shape), dtype=np.float32)
    n = 0
    for labels, shares in votes:
        total[list(labels)] += shares
        n += 1
    total /= max(n, 1)
    # Shares of one atlas sum to one but for float32's last digit.
    total[0] = np.clip(1 - total[1:].sum(axis=0), 0, 1)
    return total


def _carried(
    atlas: Atlas, scan: RegistrationImage, target: Geometry, settings: RegistrationSettings
) -> tuple[Sequence[int], NDArray[np.float32]]:
    warp = register(scan, atlas.image, settings)
    return atlas.held, carry_shares(atlas.labels, atlas.held, atlas.geometry, warp, target)
