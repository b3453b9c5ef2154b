"""Small bright things outside bone that look like disease: glands, nodes, ganglia, breasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from phantom.parts import Part, varied_block
from phantom.shapes import Block, mirrored, vector
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from phantom.habitus import Habitus
    from phantom.shapes import Points

_PAROTID = (56, 4, 1548), (8, 14, 20)
_SUBMANDIBULAR = (34, -42, 1520), (9, 14, 11)
_TONSIL = (17, -28, 1543), (7, 9, 13)
_THYROID = (17, -26, 1470), (10, 11, 20)
_NODE_SITES = np.array([
    (60, -68, 880), (52, -66, 862), (72, -62, 905), (132, 20, 1375), (140, 10, 1355),
    (45, 4, 1495), (50, 12, 1520), (42, 16, 1470), (40, -30, 930), (18, 5, 1015), (26, -30, 960),
])  # fmt: skip


def breasts(habitus: Habitus) -> list[Part]:
    """Fat with gland inside, on both sides."""
    fat = 26 + 0.8 * habitus.fat_mm
    parts = []
    for side in (-1, 1):
        centre = mirrored([(82, -112 - 0.4 * fat, 1296)], side)[0] + habitus.organ_shift_mm[9] * 0.4
        parts += [
            Part(Block(Tissue.FAT, vector(centre), (58, fat, 55))),
            Part(Block(Tissue.BREAST, vector(centre), (30, fat * 0.5, 28)), 0, 6),
        ]
    return parts


def head_and_neck_glands(habitus: Habitus) -> list[Part]:
    """Salivary glands, tonsils and thyroid on both sides, and the tongue."""
    parts = []
    for side in (-1, 1):
        for centre, radii in (_PAROTID, _SUBMANDIBULAR):
            place = vector(mirrored([centre], side)[0])
            parts.append(Part(varied_block(habitus, 10, Tissue.GLAND, place, radii), 0, 2))
        for tissue, (centre, radii) in ((Tissue.NODE, _TONSIL), (Tissue.GLAND, _THYROID)):
            parts.append(Part(Block(tissue, vector(mirrored([centre], side)[0]), radii)))
    parts.append(Part(Block(Tissue.MUSCLE, (0, -56, 1533), (22, 28, 16))))
    return parts


def nodes(rng: np.random.Generator) -> list[Part]:
    """Lymph nodes of groin, pelvis, abdomen, armpits and neck; enlarged in some persons."""
    parts = []
    enlarged = rng.random() < 0.15
    for side in (-1, 1):
        for site in _NODE_SITES:
            for _ in range(int(rng.integers(0, 3))):
                size = rng.uniform(2.5, 5.5) * (2.0 if enlarged and rng.random() < 0.4 else 1.0)
                centre = mirrored([site + rng.normal(0, 7, 3)], side)[0]
                radii = vector(size * rng.uniform(0.8, 1.5, 3))
                parts.append(Part(Block(Tissue.NODE, vector(centre), radii)))
    return parts


def ganglia(points: list[Points], rng: np.random.Generator) -> list[Part]:
    """Nerve root ganglia beside the canal: bright on high-b images."""
    return [
        Part(Block(Tissue.GANGLION, vector(p), vector(rng.uniform(2.2, 4.2, 3)))) for p in points
    ]
