"""Organs and other soft tissue; labelled ones and mimics of disease outside bone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BY_NAME
from phantom.shapes import Block, mirrored, rotation, tube
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from phantom.habitus import Habitus
    from phantom.shapes import Points, Shape, Vector


@dataclass(frozen=True)
class Part:
    """A shape, the label it carries (0: none) and how rough its surface is in mm."""

    shape: Shape
    label: int = 0
    rough_mm: float = 0.0
    cavity_only: bool = False
    """Leave muscle, subcutaneous fat and air as they are."""


def organ_parts(habitus: Habitus, rng: np.random.Generator) -> list[Part]:
    """Everything soft inside the trunk and neck, in the order of painting."""
    return [
        *_mediastinum(habitus),
        *_retroperitoneum(habitus),
        *_bowel(habitus, rng),
        *_upper_abdomen(habitus, rng),
        *_kidneys(habitus),
        *_pelvic_organs(habitus),
        *_glands(habitus),
        *_nodes(rng),
    ]


def _block(habitus: Habitus, slot: int, tissue: Tissue, centre: Vector, radii: Vector) -> Block:
    return Block(
        tissue,
        _vector(np.array(centre) + habitus.organ_shift_mm[slot]),
        _vector(np.array(radii) * habitus.organ_scale[slot]),
        rotation(*(habitus.organ_shift_mm[(slot + 5) % 16] * 1.2)),
        2.3,
    )


def _mediastinum(habitus: Habitus) -> list[Part]:
    middle = [(0, 0, 1450), (2, 0, 1400), (6, -14, 1340), (12, -30, 1290), (12, -30, 1240)]
    return [
        Part(tube(Tissue.VISCERAL_FAT, middle, [26, 34, 38, 44, 42])),
        Part(_block(habitus, 0, Tissue.HEART, (22, -42, 1288), (52, 42, 52)), 0, 3),
        Part(
            tube(
                Tissue.VESSEL,
                [
                    (4, -20, 1330),
                    (0, -24, 1372),
                    (16, 10, 1388),
                    (24, 28, 1350),
                    (22, 30, 1250),
                    (8, 10, 1150),
                    (4, 2, 1050),
                    (2, 0, 1010),
                ],
                [14, 15, 13, 12, 11, 10, 9],
            )
        ),
        Part(
            tube(Tissue.VESSEL, [(-22, -30, 1340), (-24, -20, 1400), (-20, -15, 1430)], [10, 9, 7])
        ),
        Part(tube(Tissue.VESSEL, [(-20, -5, 1220), (-18, 5, 1130), (-16, 2, 1010)], [12, 11, 10])),
        Part(
            tube(
                Tissue.GAS,
                [(0, -22, 1575), (0, -18, 1530), (0, -24, 1470), (0, -10, 1420), (0, 4, 1372)],
                [10, 9, 8, 8, 8],
            )
        ),
        Part(
            tube(
                Tissue.MUSCLE,
                [(2, 8, 1450), (4, 16, 1380), (8, 20, 1300), (14, 4, 1215)],
                [6, 6, 7, 8],
            )
        ),
    ]


def _retroperitoneum(habitus: Habitus) -> list[Part]:
    parts = [
        Part(
            tube(
                Tissue.MUSCLE,
                mirrored(
                    [(26, 30, 1120), (38, 28, 1050), (50, 10, 985), (66, -28, 930), (82, -30, 890)],
                    side,
                ),
                [12 * habitus.muscle, 21 * habitus.muscle, 23 * habitus.muscle, 19, 15],
            )
        )
        for side in (-1, 1)
    ]
    parts += [
        Part(
            tube(
                Tissue.VESSEL,
                mirrored(
                    [(4, 0, 1012), (32, 2, 975), (48, -40, 925), (56, -62, 890), (62, -50, 800)],
                    side,
                ),
                [8, 7.5, 7.5, 7, 6],
            )
        )
        for side in (-1, 1)
    ]
    return parts


def _bowel(habitus: Habitus, rng: np.random.Generator) -> list[Part]:
    belly = max(habitus.belly_mm, 0) * 0.6
    parts: list[Part] = []
    for _ in range(int(rng.integers(16, 28))):
        start = np.array(
            [rng.uniform(-85, 85), rng.uniform(-72 - belly, -5), rng.uniform(925, 1095)]
        )
        knots = start + np.cumsum(rng.normal(0, (26, 14, 14), (5, 3)), axis=0)
        knots[:, 0] = np.clip(knots[:, 0], -95, 95)
        knots[:, 1] = np.clip(knots[:, 1], -78 - belly, 10)
        radius = rng.uniform(9, 14)
        parts.append(Part(tube(Tissue.BOWEL_WALL, knots, [radius, radius])))
        kind = rng.choice([Tissue.BOWEL_CONTENT, Tissue.GAS, Tissue.BOWEL_WALL], p=[0.5, 0.2, 0.3])
        parts.append(Part(tube(int(kind), knots, [radius - 4.0, radius - 4.5]), cavity_only=True))
    frame = [(-96, 0, 960), (-104, 5, 1020), (-96, -10, 1080), (-60, -64 - belly, 1085),
             (0, -72 - belly, 1075), (60, -64 - belly, 1100), (98, 0, 1110), (106, 15, 1040),
             (98, 5, 970), (50, -20, 945), (5, 40, 925), (0, 46, 880)]  # fmt: skip
    wide = rng.uniform(14, 22)
    parts.append(Part(tube(Tissue.BOWEL_WALL, frame, [wide, wide * 0.9, wide * 0.7])))
    for k in range(0, len(frame) - 2, 2):
        kind = rng.choice([Tissue.BOWEL_CONTENT, Tissue.GAS], p=[0.6, 0.4])
        parts.append(
            Part(
                tube(int(kind), frame[k : k + 3], [wide * 0.6, wide * 0.7, wide * 0.55]),
                cavity_only=True,
            )
        )
    return parts


def _upper_abdomen(habitus: Habitus, rng: np.random.Generator) -> list[Part]:
    liver, spleen = BY_NAME["liver"].label, BY_NAME["spleen"].label
    down = np.array([0, 0, habitus.diaphragm_mm])

    def part(slot: int, tissue: Tissue, centre: Vector, radii: Vector, label: int) -> Part:
        placed = _vector(np.array(centre) + down * 0.8)
        return Part(_block(habitus, slot, tissue, placed, radii), label, 4)

    s = habitus.organ_scale[1, 0]
    left_lobe = tube(
        Tissue.LIVER,
        np.array([(-60, -35, 1150), (-10, -58, 1165), (40, -52, 1180)])
        + habitus.organ_shift_mm[1]
        + down * 0.8,
        [52 * s, 34 * s, 19 * s],
    )
    tip = Block(
        Tissue.LIVER,
        _vector(np.array([-92, 8, 1105]) + habitus.organ_shift_mm[1] + down * 0.8),
        (34 * s, 48 * s, 60 * s),
    )
    stomach = np.array(
        [(62, 5, 1205), (64, -20, 1170), (50, -62, 1130), (12, -68, 1112), (-18, -50, 1112)]
    )
    size = habitus.organ_scale[3, 0]
    content = rng.choice([Tissue.STOMACH, Tissue.GAS, Tissue.BOWEL_CONTENT], p=[0.45, 0.25, 0.3])
    stomach = stomach + habitus.organ_shift_mm[3] * 0.5 + down * 0.7
    width = np.array([34, 32, 24, 15, 9]) * size * rng.uniform(0.5, 1.0)
    pancreas = [(-28, -22, 1095), (0, -28, 1108), (40, -5, 1120), (78, 22, 1140)]
    return [
        Part(tube(Tissue.BOWEL_WALL, stomach, list(width + 4)), 0, 3),
        Part(tube(int(content), stomach, list(width - 1)), 0, 3, cavity_only=True),
        Part(tube(Tissue.PANCREAS, pancreas, [12, 9, 9, 8])),
        part(1, Tissue.LIVER, (-72, 0, 1152), (62, 72, 66), liver),
        Part(left_lobe, liver, 3),
        Part(tip, liver, 3),
        part(2, Tissue.SPLEEN, (88, 40, 1150), (31, 43, 53), spleen),
        Part(
            tube(
                Tissue.GALLBLADDER,
                np.array([(-46, -30, 1128), (-52, -58, 1100)])
                + habitus.organ_shift_mm[1]
                + down * 0.8,
                [9, 14 * habitus.organ_scale[4, 0]],
            )
        ),
        Part(
            tube(
                Tissue.VESSEL,
                np.array([(-20, -10, 1120), (-45, -8, 1145), (-75, 5, 1155)])
                + habitus.organ_shift_mm[1]
                + down * 0.8,
                [6, 5, 3.5],
            ),
            0,
        ),
    ]


def _kidneys(habitus: Habitus) -> list[Part]:
    parts = []
    for side, name, slot, z in ((1, "kidney_left", 5, 1100), (-1, "kidney_right", 6, 1082)):
        centre = (
            np.array([side * 62.0, 42.0, z + 0.4 * habitus.diaphragm_mm])
            + habitus.organ_shift_mm[slot]
        )
        radii = np.array([25.5, 26, 49]) * habitus.organ_scale[slot]
        tilt = rotation(-12, side * 12, -side * 25)
        label = BY_NAME[name].label
        hilum = centre + np.array([-side * 15.0, -9.0, 0.0])
        parts += [
            Part(Block(Tissue.VISCERAL_FAT, _vector(centre), _vector(radii * 1.3), tilt)),
            Part(Block(Tissue.KIDNEY, _vector(centre), _vector(radii), tilt, 2.2), label, 2),
            Part(Block(Tissue.VISCERAL_FAT, _vector(hilum), (9, 6, 20), tilt)),
            Part(
                Block(
                    Tissue.GLAND,
                    _vector(centre + np.array([-side * 18.0, -8, radii[2]])),
                    (12, 4, 8),
                )
            ),
        ]
    return parts


def _pelvic_organs(habitus: Habitus) -> list[Part]:
    label = BY_NAME["bladder"].label
    size = (habitus.bladder_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    shape = np.array([1.18, 0.95, 0.9]) * np.clip(habitus.organ_scale[7], 0.85, 1.15)
    radii = size * shape / np.prod(shape) ** (1 / 3)
    centre = np.array([0, -20.0, 893 + 0.75 * radii[2]]) + habitus.organ_shift_mm[7] * (
        0.6,
        0.5,
        0.3,
    )
    parts = [
        Part(Block(Tissue.MUSCLE, _vector(centre), _vector(radii + 4.5), exponent=2.3)),
        Part(Block(Tissue.BLADDER, _vector(centre), _vector(radii), exponent=2.3), label, 2),
    ]
    if habitus.male:
        parts += [Part(_block(habitus, 8, Tissue.PROSTATE, (0, 2, 872), (23, 17, 18)), 0, 2)]
        parts += [
            Part(Block(Tissue.TESTIS, (s * 17.0, -74.0, 822.0), (13, 16, 20))) for s in (-1, 1)
        ]
        parts += [
            Part(tube(Tissue.GLAND, mirrored([(4, 24, 893), (24, 28, 902)], s), [6, 5]))
            for s in (-1, 1)
        ]
        parts += [
            Part(tube(Tissue.VESSEL, [(0, -40, 850), (0, -75, 850), (0, -90, 815)], [9, 12, 12]))
        ]
    else:
        uterus = centre + np.array([0, radii[1] + 22, 8])
        parts += [
            Part(
                Block(
                    Tissue.UTERUS,
                    _vector(uterus),
                    _vector(np.array([24, 20, 32]) * habitus.organ_scale[8]),
                    rotation(30, 0, 0),
                ),
                0,
                2,
            )
        ]
        parts += [
            Part(Block(Tissue.NODE, _vector(uterus + np.array([s * 42.0, 0, 4])), (11, 9, 13)))
            for s in (-1, 1)
        ]
        parts += _breasts(habitus)
    return parts


def _breasts(habitus: Habitus) -> list[Part]:
    fat = 26 + 0.8 * habitus.fat_mm
    parts = []
    for side in (-1, 1):
        centre = mirrored([(82, -112 - 0.4 * fat, 1296)], side)[0] + habitus.organ_shift_mm[9] * 0.4
        parts += [
            Part(Block(Tissue.FAT, _vector(centre), (58, fat, 55))),
            Part(Block(Tissue.BREAST, _vector(centre), (30, fat * 0.5, 28)), 0, 6),
        ]
    return parts


def _glands(habitus: Habitus) -> list[Part]:
    parts = []
    for side in (-1, 1):
        for centre, radii in (
            ((56, 4, 1548), (8, 14, 20)),  # parotid
            ((34, -42, 1520), (9, 14, 11)),  # submandibular
        ):
            parts.append(
                Part(
                    _block(habitus, 10, Tissue.GLAND, _vector(mirrored([centre], side)[0]), radii),
                    0,
                    2,
                )
            )
        parts.append(
            Part(Block(Tissue.NODE, _vector(mirrored([(17, -28, 1543)], side)[0]), (7, 9, 13)))
        )
        parts.append(
            Part(Block(Tissue.GLAND, _vector(mirrored([(17, -26, 1470)], side)[0]), (10, 11, 20)))
        )
    parts.append(Part(Block(Tissue.MUSCLE, (0, -56, 1533), (22, 28, 16))))
    return parts


_NODE_SITES = np.array([
    (60, -68, 880), (52, -66, 862), (72, -62, 905), (132, 20, 1375), (140, 10, 1355),
    (45, 4, 1495), (50, 12, 1520), (42, 16, 1470), (40, -30, 930), (18, 5, 1015), (26, -30, 960),
])  # fmt: skip


def _nodes(rng: np.random.Generator) -> list[Part]:
    parts = []
    enlarged = rng.random() < 0.15
    for side in (-1, 1):
        for site in _NODE_SITES:
            for _ in range(int(rng.integers(0, 3))):
                size = rng.uniform(2.5, 5.5) * (2.0 if enlarged and rng.random() < 0.4 else 1.0)
                centre = mirrored([site + rng.normal(0, 7, 3)], side)[0]
                radii = _vector(size * rng.uniform(0.8, 1.5, 3))
                parts.append(Part(Block(Tissue.NODE, _vector(centre), radii)))
    return parts


def ganglia(points: list[Points], rng: np.random.Generator) -> list[Part]:
    """Nerve root ganglia beside the canal: bright on high-b images."""
    return [
        Part(Block(Tissue.GANGLION, _vector(p), _vector(rng.uniform(2.2, 4.2, 3)))) for p in points
    ]


def _vector(point: Points) -> Vector:
    return float(point[0]), float(point[1]), float(point[2])
