"""Skin, subcutaneous fat, muscle and the body cavity, as cross-sections by height."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from phantom.canvas import fill
from phantom.shapes import Block
from phantom.spine import Column
from phantom.thorax import cage
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phantom.canvas import Canvas
    from phantom.fields import Field
    from phantom.habitus import Habitus

    Profile = NDArray[np.floating]
    """One number a slice."""

# Height, half width, front y, back y of the muscle surface, share of the fat thickness.
_TRUNK = np.array([
    (796, 12, 5, 25, 0.4), (812, 90, -30, 70, 0.7), (832, 166, -70, 90, 1.0),
    (880, 174, -82, 100, 1.1), (930, 170, -88, 98, 1.1),
    (980, 158, -93, 92, 1.1), (1030, 147, -96, 84, 1.0), (1080, 146, -99, 84, 0.9),
    (1130, 151, -105, 91, 0.8), (1200, 160, -112, 102, 0.7), (1280, 166, -112, 108, 0.7),
    (1340, 170, -104, 107, 0.6), (1380, 176, -90, 104, 0.5), (1410, 180, -70, 98, 0.45),
    (1430, 158, -58, 90, 0.4), (1445, 120, -46, 82, 0.35), (1460, 82, -42, 74, 0.3),
    (1475, 64, -46, 65, 0.3), (1500, 57, -48, 61, 0.3), (1530, 57, -60, 65, 0.25),
    (1550, 62, -88, 76, 0.2), (1570, 68, -98, 88, 0.15), (1600, 75, -99, 95, 0.12),
    (1640, 78, -98, 96, 0.1), (1680, 68, -84, 82, 0.1), (1705, 46, -60, 56, 0.1),
    (1716, 22, -32, 28, 0.1), (1719, 4, -8, 6, 0.1),
])  # fmt: skip
_SKIN_MM = 3.0
_JAW = (0.0, -42.0, 1534.0)


def paint_outline(canvas: Canvas, habitus: Habitus) -> None:
    """Fill the body with fat, then muscle, then the cavity's fat and the lungs."""
    z: Profile = canvas.z[:, canvas.z.shape[1] // 2, canvas.z.shape[2] // 2]
    belly = habitus.belly_mm * np.exp(-(((z - 1060) / 130) ** 2))
    half, front, back, share = (np.interp(z, _TRUNK[:, 0], _TRUNK[:, k]) for k in range(1, 5))
    trunk = (z > 796) & (z < 1719)
    half = half + 0.35 * np.maximum(belly, 0)
    front = front - belly
    column = Column(habitus)
    spinous = np.array([column.centre(float(v))[1] for v in z]) + 57.0  # tips lie under the skin
    back = np.where((z > 960) & (z < 1450), np.maximum(back, spinous), back)
    fat = _SKIN_MM + share * habitus.fat_mm
    skin = _ellipse(canvas, half + fat, front - fat, back + 0.8 * fat)
    canvas.tissue[(skin < 1) & trunk[:, None, None]] = Tissue.FAT
    for tissue, grow in ((Tissue.FAT, 5.0), (Tissue.MUSCLE, 0.0)):
        fill(canvas, Block(tissue, _JAW, (54 + grow, 62 + grow, 38 + grow), exponent=2.4))
    legs = _legs(canvas, habitus, z)
    muscle = (_ellipse(canvas, half, front, back) < 1) & trunk[:, None, None]
    canvas.tissue[muscle] = Tissue.MUSCLE
    canvas.tissue[legs] = Tissue.MUSCLE
    _paint_cavity(canvas, habitus, z, belly)


def _legs(canvas: Canvas, habitus: Habitus, z: Profile) -> NDArray[np.bool_]:
    """Paint the fat of the thighs and return where their muscle is."""
    wide: Profile = np.interp(z, [500, 740, 860], [62, 76, 82]) + habitus.thigh_mm * 0.5
    fat = _SKIN_MM + 0.9 * habitus.fat_mm
    below = (z < 862)[:, None, None]
    muscle = np.zeros(canvas.tissue.shape, bool)
    for side in (-1, 1):
        centre: Profile = side * (np.interp(z, [500, 860], [88, 90]) + 0.3 * fat)
        canvas.tissue[_thigh(canvas, centre, wide, fat) & below] = Tissue.FAT
        muscle |= _thigh(canvas, centre, wide, 0.0) & below
    return muscle


def _thigh(canvas: Canvas, centre: Profile, wide: Profile, extra: float) -> NDArray[np.bool_]:
    u = (canvas.x - _column(centre)) / _column(wide + extra)
    v = (canvas.y - np.float32(6)) / _column(wide * 1.05 + extra)
    u *= u
    v *= v
    u += v
    inside: NDArray[np.bool_] = u < 1
    return inside


def _paint_cavity(canvas: Canvas, habitus: Habitus, z: Profile, belly: Profile) -> None:
    rows = np.array([cage(float(v)) for v in z])
    inset = 9.0 * habitus.bone
    half = rows[:, 0] - inset
    front = rows[:, 1] + inset - np.maximum(belly, -8) * (z < 1200)
    back = np.minimum(
        rows[:, 2] - inset, np.interp(z, [860, 980, 1030, 1085, 1150], [62, 52, 58, 68, 90])
    )
    pelvic = np.interp(z, [845, 880, 930, 980], [0.15, 0.4, 0.75, 1.0])
    half = half * pelvic
    front = front * np.interp(z, [845, 900, 960], [0.4, 0.75, 1.0])
    cavity = _ellipse(canvas, half, front, back) < 1
    abdomen = cavity & ((z > 850) & (z < 1330))[:, None, None]
    canvas.tissue[abdomen] = Tissue.VISCERAL_FAT
    lungs = cavity & (canvas.z > _diaphragm(canvas, habitus)) & (z < 1452)[:, None, None]
    canvas.tissue[lungs] = Tissue.LUNG


def _diaphragm(canvas: Canvas, habitus: Habitus) -> Field:
    """Height of the domes of the diaphragm over every voxel's (x, y)."""
    right = np.exp(-(((canvas.x + 68) / 75) ** 2) - ((canvas.y / 95) ** 2))
    left = np.exp(-(((canvas.x - 72) / 70) ** 2) - ((canvas.y / 95) ** 2))
    height: Field = (1140 + habitus.diaphragm_mm + 92 * right + 76 * left).astype(np.float32)
    return height


def _ellipse(canvas: Canvas, half: Profile, front: Profile, back: Profile) -> Field:
    """Square-ish ellipse by slice: below one is inside."""
    middle, depth = _column((front + back) / 2), _column(np.maximum((back - front) / 2, 1))
    u = canvas.x / _column(np.maximum(half, 1))
    v = (canvas.y - middle) / depth
    u *= u
    v *= v
    square = np.sqrt(u * u + v * v)
    square += u
    square += v
    square *= np.float32(0.5)
    result: Field = square
    return result


def _column(values: Profile) -> Field:
    column: Field = np.asarray(values, dtype=np.float32)[:, None, None]
    return column
