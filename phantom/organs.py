"""Organs of abdomen and pelvis, and the order in which everything soft is painted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BY_NAME
from phantom.glands import breasts, head_and_neck_glands, nodes
from phantom.parts import Part, varied_block
from phantom.shapes import Block, mirrored, rotation, tube, vector
from phantom.tissue import Tissue
from phantom.trunk import bowel, mediastinum, retroperitoneum

if TYPE_CHECKING:
    from phantom.habitus import Habitus
    from phantom.shapes import Points

_LIVER_SLOT, _SPLEEN_SLOT, _STOMACH_SLOT, _GALLBLADDER_SLOT = 1, 2, 3, 4
_BLADDER_SLOT, _GENITAL_SLOT = 7, 8
_LEFT_LOBE = ((-60, -35, 1150), (-10, -58, 1165), (40, -52, 1180))
_STOMACH = ((62, 5, 1205), (64, -20, 1170), (50, -62, 1130), (12, -68, 1112), (-18, -50, 1112))
_PANCREAS = ((-28, -22, 1095), (0, -28, 1108), (40, -5, 1120), (78, 22, 1140))
_PORTAL_VEIN = ((-20, -10, 1120), (-45, -8, 1145), (-75, 5, 1155))
_GALLBLADDER = ((-46, -30, 1128), (-52, -58, 1100))
_PENIS = ((0, -40, 850), (0, -75, 850), (0, -90, 815))
_SEMINAL_VESICLE = ((4, 24, 893), (24, 28, 902))


def organ_parts(habitus: Habitus, rng: np.random.Generator) -> list[Part]:
    """Everything soft inside the trunk and neck, in the order of painting."""
    return [
        *mediastinum(habitus),
        *retroperitoneum(habitus),
        *bowel(habitus, rng),
        *_stomach(habitus, rng),
        *_liver(habitus),
        *_kidneys(habitus),
        *_bladder(habitus),
        *(_male_organs(habitus) if habitus.male else _female_organs(habitus)),
        *head_and_neck_glands(habitus),
        *nodes(rng),
    ]


def _down(habitus: Habitus, share: float) -> Points:
    """How far breathing moves an organ, given its share of the diaphragm's way."""
    return np.array([0.0, 0.0, habitus.diaphragm_mm * share])


def _stomach(habitus: Habitus, rng: np.random.Generator) -> list[Part]:
    content = rng.choice([Tissue.STOMACH, Tissue.GAS, Tissue.BOWEL_CONTENT], p=[0.45, 0.25, 0.3])
    line = np.array(_STOMACH) + habitus.organ_shift_mm[_STOMACH_SLOT] * 0.5 + _down(habitus, 0.7)
    size = habitus.organ_scale[_STOMACH_SLOT, 0]
    width = np.array([34, 32, 24, 15, 9]) * size * rng.uniform(0.5, 1.0)
    return [
        Part(tube(Tissue.BOWEL_WALL, line, list(width + 4)), 0, 3, cavity_only=True),
        Part(tube(int(content), line, list(width - 1)), 0, 3, cavity_only=True),
        Part(tube(Tissue.PANCREAS, _PANCREAS, [12, 9, 9, 8])),
    ]


def _liver(habitus: Habitus) -> list[Part]:
    """Liver with gallbladder and portal vein, and the spleen on the other side."""
    liver, spleen = BY_NAME["liver"].label, BY_NAME["spleen"].label
    down = _down(habitus, 0.8)
    moved = habitus.organ_shift_mm[_LIVER_SLOT] + down
    s = habitus.organ_scale[_LIVER_SLOT, 0]
    right = vector(np.array((-72, 0, 1152)) + down)
    right_lobe = varied_block(habitus, _LIVER_SLOT, Tissue.LIVER, right, (62, 72, 66))
    left_lobe = tube(Tissue.LIVER, np.array(_LEFT_LOBE) + moved, [52 * s, 34 * s, 19 * s])
    tip = Block(Tissue.LIVER, vector(np.array([-92, 8, 1105]) + moved), (34 * s, 48 * s, 60 * s))
    left = vector(np.array((88, 40, 1150)) + down)
    spleen_block = varied_block(habitus, _SPLEEN_SLOT, Tissue.SPLEEN, left, (31, 43, 53))
    gallbladder = 14 * habitus.organ_scale[_GALLBLADDER_SLOT, 0]
    bile = tube(Tissue.GALLBLADDER, np.array(_GALLBLADDER) + moved, [9, gallbladder])
    return [
        Part(right_lobe, liver, 4, cavity_only=True),
        Part(left_lobe, liver, 3, cavity_only=True),
        Part(tip, liver, 3, cavity_only=True),
        Part(spleen_block, spleen, 4, cavity_only=True),
        Part(bile, cavity_only=True),
        Part(tube(Tissue.VESSEL, np.array(_PORTAL_VEIN) + moved, [6, 5, 3.5])),
    ]


def _kidneys(habitus: Habitus) -> list[Part]:
    """Both kidneys in their fat, with sinus and adrenal gland; the right one lies lower."""
    parts = []
    for side, name, slot, z in ((1, "kidney_left", 5, 1100), (-1, "kidney_right", 6, 1082)):
        centre = np.array([side * 62.0, 42.0, z]) + _down(habitus, 0.4)
        centre += habitus.organ_shift_mm[slot]
        radii = np.array([25.5, 26, 49]) * habitus.organ_scale[slot]
        tilt = rotation(-12, side * 12, -side * 25)
        hilum = centre + np.array([-side * 15.0, -9.0, 0.0])
        adrenal = centre + np.array([-side * 18.0, -8, radii[2]])
        kidney = Block(Tissue.KIDNEY, vector(centre), vector(radii), tilt, 2.2)
        parts += [
            Part(Block(Tissue.VISCERAL_FAT, vector(centre), vector(radii * 1.3), tilt)),
            Part(kidney, BY_NAME[name].label, 2),
            Part(Block(Tissue.VISCERAL_FAT, vector(hilum), (9, 6, 20), tilt)),
            Part(Block(Tissue.GLAND, vector(adrenal), (12, 4, 8))),
        ]
    return parts


def _bladder_place(habitus: Habitus) -> tuple[Points, Points]:
    """Centre and radii of the bladder for its filling."""
    size = (habitus.bladder_ml * 1000 * 3 / (4 * np.pi)) ** (1 / 3)
    shape = np.array([1.18, 0.95, 0.9]) * np.clip(habitus.organ_scale[_BLADDER_SLOT], 0.85, 1.15)
    radii = size * shape / np.prod(shape) ** (1 / 3)
    shift = habitus.organ_shift_mm[_BLADDER_SLOT] * (0.6, 0.5, 0.3)
    return np.array([0, -20.0, 893 + 0.75 * radii[2]]) + shift, radii


def _bladder(habitus: Habitus) -> list[Part]:
    centre, radii = _bladder_place(habitus)
    urine = Block(Tissue.BLADDER, vector(centre), vector(radii), exponent=2.3)
    return [
        Part(Block(Tissue.MUSCLE, vector(centre), vector(radii + 4.5), exponent=2.3)),
        Part(urine, BY_NAME["bladder"].label, 2),
    ]


def _male_organs(habitus: Habitus) -> list[Part]:
    prostate = varied_block(habitus, _GENITAL_SLOT, Tissue.PROSTATE, (0, 2, 872), (23, 17, 18))
    sides = (-1, 1)
    return [
        Part(prostate, 0, 2),
        *[Part(Block(Tissue.TESTIS, (s * 17.0, -74.0, 822.0), (13, 16, 20))) for s in sides],
        *[Part(tube(Tissue.GLAND, mirrored(_SEMINAL_VESICLE, s), [6, 5])) for s in sides],
        Part(tube(Tissue.VESSEL, _PENIS, [9, 12, 12])),
    ]


def _female_organs(habitus: Habitus) -> list[Part]:
    bladder, radii = _bladder_place(habitus)
    centre = bladder + np.array([0, radii[1] + 22, 8])
    size = vector(np.array([24, 20, 32]) * habitus.organ_scale[_GENITAL_SLOT])
    uterus = Block(Tissue.UTERUS, vector(centre), size, rotation(30, 0, 0))
    ovaries = [
        Part(Block(Tissue.NODE, vector(centre + np.array([s * 42.0, 0, 4])), (11, 9, 13)))
        for s in (-1, 1)
    ]
    return [Part(uterus, 0, 2, cavity_only=True), *ovaries, *breasts(habitus)]
