"""Unlabelled content of the trunk: mediastinum, great vessels, psoas muscles and bowel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from phantom.parts import Part, varied_block
from phantom.shapes import mirrored, tube
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from phantom.habitus import Habitus

_MIDDLE = ((0, 0, 1450), (2, 0, 1400), (6, -14, 1340), (12, -30, 1290), (12, -30, 1240))
_AORTA = (
    (4, -20, 1330), (0, -24, 1372), (16, 10, 1388), (24, 28, 1350), (22, 30, 1250),
    (8, 10, 1150), (4, 2, 1050), (2, 0, 1010),
)  # fmt: skip
_UPPER_CAVA = ((-22, -30, 1340), (-24, -20, 1400), (-20, -15, 1430))
_LOWER_CAVA = ((-20, -5, 1220), (-18, 5, 1130), (-16, 2, 1010))
_AIRWAY = ((0, -22, 1575), (0, -18, 1530), (0, -24, 1470), (0, -10, 1420), (0, 4, 1372))
_OESOPHAGUS = ((2, 8, 1450), (4, 16, 1380), (8, 20, 1300), (14, 4, 1215))
_PSOAS = ((26, 30, 1120), (38, 28, 1050), (50, 10, 985), (66, -28, 930), (82, -30, 890))
_ILIAC_VESSEL = ((4, 0, 1012), (32, 2, 975), (48, -40, 925), (56, -62, 890), (62, -50, 800))


def mediastinum(habitus: Habitus) -> list[Part]:
    """Heart, great vessels, airway and oesophagus in mediastinal fat."""
    heart = varied_block(habitus, 0, Tissue.HEART, (22, -42, 1288), (52, 42, 52))
    return [
        Part(tube(Tissue.VISCERAL_FAT, _MIDDLE, [26, 34, 38, 44, 42])),
        Part(heart, 0, 3, cavity_only=True),
        Part(tube(Tissue.VESSEL, _AORTA, [14, 15, 13, 12, 11, 10, 9])),
        Part(tube(Tissue.VESSEL, _UPPER_CAVA, [10, 9, 7])),
        Part(tube(Tissue.VESSEL, _LOWER_CAVA, [12, 11, 10])),
        Part(tube(Tissue.GAS, _AIRWAY, [10, 9, 8, 8, 8])),
        Part(tube(Tissue.MUSCLE, _OESOPHAGUS, [6, 6, 7, 8])),
    ]


def retroperitoneum(habitus: Habitus) -> list[Part]:
    """Psoas muscles and iliac vessels."""
    m = habitus.muscle
    psoas = [
        Part(tube(Tissue.MUSCLE, mirrored(_PSOAS, side), [12 * m, 21 * m, 23 * m, 19, 15]))
        for side in (-1, 1)
    ]
    vessels = [
        Part(tube(Tissue.VESSEL, mirrored(_ILIAC_VESSEL, side), [8, 7.5, 7.5, 7, 6]))
        for side in (-1, 1)
    ]
    return psoas + vessels


def bowel(habitus: Habitus, rng: np.random.Generator) -> list[Part]:
    """Loops of small bowel at random and the frame of the colon; content, gas or collapsed."""
    belly = max(habitus.belly_mm, 0) * 0.6
    parts: list[Part] = []
    for _ in range(int(rng.integers(16, 28))):
        parts += _loop(rng, belly)
    return parts + _colon(rng, belly)


def _loop(rng: np.random.Generator, belly: float) -> list[Part]:
    start = np.array([rng.uniform(-85, 85), rng.uniform(-72 - belly, -5), rng.uniform(925, 1095)])
    knots = start + np.cumsum(rng.normal(0, (26, 14, 14), (5, 3)), axis=0)
    knots[:, 0] = np.clip(knots[:, 0], -95, 95)
    knots[:, 1] = np.clip(knots[:, 1], -78 - belly, 10)
    radius = rng.uniform(9, 14)
    kind = rng.choice([Tissue.BOWEL_CONTENT, Tissue.GAS, Tissue.BOWEL_WALL], p=[0.5, 0.2, 0.3])
    return [
        Part(tube(Tissue.BOWEL_WALL, knots, [radius, radius]), cavity_only=True),
        Part(tube(int(kind), knots, [radius - 4.0, radius - 4.5]), cavity_only=True),
    ]


def _colon(rng: np.random.Generator, belly: float) -> list[Part]:
    frame = [
        (-96, 0, 960), (-104, 5, 1020), (-96, -10, 1080), (-60, -64 - belly, 1085),
        (0, -72 - belly, 1075), (60, -64 - belly, 1100), (98, 0, 1110), (106, 15, 1040),
        (98, 5, 970), (50, -20, 945), (5, 40, 925), (0, 46, 880),
    ]  # fmt: skip
    wide = rng.uniform(14, 22)
    wall = tube(Tissue.BOWEL_WALL, frame, [wide, wide * 0.9, wide * 0.7])
    parts = [Part(wall, cavity_only=True)]
    for k in range(0, len(frame) - 2, 2):
        kind = rng.choice([Tissue.BOWEL_CONTENT, Tissue.GAS], p=[0.6, 0.4])
        content = tube(int(kind), frame[k : k + 3], [wide * 0.6, wide * 0.7, wide * 0.55])
        parts.append(Part(content, cavity_only=True))
    return parts
