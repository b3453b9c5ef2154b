"""Organs of chest, abdomen and pelvis. The liver is what the cavity leaves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BY_NAME
from phantom.contoured.column import beside
from phantom.contoured.implicit import (
    Solid,
    carved,
    ellipsoid,
    frame_of,
    path,
    ripples,
    rod,
    shifted,
    smooth_max,
    tube,
)
from phantom.contoured.outline import cavity_contours, dome
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from phantom.contoured.build import Build
    from phantom.contoured.column import Vertebra
    from phantom.contoured.implicit import Place
    from phantom.fields import Field

_LIVER, _SPLEEN, _STOMACH, _BLADDER, _HEART, _GENITAL = 0, 1, 2, 3, 4, 5
_KIDNEY = {1: 6, -1: 7}
_AORTA = ((6, -14, 1300), (2, -22, 1345), (2, -16, 1384), (18, 8, 1392), (26, 32, 1352),
          (22, 34, 1250), (10, 14, 1160), (5, 4, 1080), (3, 2, 1015))  # fmt: skip
_CAVA = ((-22, -2, 1225), (-20, 8, 1150), (-18, 4, 1060), (-16, 6, 1012))
_UPPER_CAVA = ((-20, -26, 1335), (-24, -22, 1390), (-22, -16, 1432))
_AIRWAY = ((0, -24, 1545), (0, -24, 1480), (0, -10, 1425), (0, 4, 1380))
_GULLET = ((2, 4, 1450), (4, 18, 1380), (8, 22, 1300), (18, 6, 1225))
_PSOAS = ((28, 32, 1130), (40, 30, 1060), (54, 8, 990), (70, -30, 930), (84, -22, 875))
_ILIAC = ((4, 2, 1014), (34, 4, 975), (52, -38, 928), (62, -60, 888), (66, -46, 790))


@dataclass(frozen=True)
class Part:
    """A soft solid: what it is made of, its label, and whether it stays inside the cavity."""

    solid: Solid
    tissue: Tissue
    label: int = 0
    inside: bool = True


def _parts(
    solids: list[Solid], tissue: Tissue, label: int = 0, *, inside: bool = True
) -> list[Part]:
    return [Part(s, tissue, label, inside) for s in solids]


def organ_parts(build: Build, vs: tuple[Vertebra, ...], rng: np.random.Generator) -> list[Part]:
    """Everything but bowel and glands, in the order of painting."""
    return [
        *_chest(build, rng),
        *_great_vessels(vs),
        *_back_wall(build, vs),
        *_stomach(build, rng),
        *_liver(build, rng),
        *_spleen(build, rng),
        *_kidney(build, vs, rng, 1),
        *_kidney(build, vs, rng, -1),
        *_bladder(build, rng),
    ]


def _chest(build: Build, rng: np.random.Generator) -> list[Part]:
    size, moved = build.organ[_HEART], build.shift[_HEART]
    centre = np.array([20.0, -38.0, 1288.0 + 0.5 * build.breath_mm]) + 0.6 * moved
    turn = frame_of(28, -22, 30)
    heart = ellipsoid(centre, np.array([45, 42, 62]) * size, turn, ripples(rng, 0.05))
    pools = [
        ellipsoid(centre + offset, np.array(radii) * size, turn)
        for offset, radii in (((14, -6, -10), (17, 17, 34)), ((-14, -8, 4), (15, 18, 36)))
    ]
    middle = path([(0, 4, 1450), (2, 0, 1390), (8, -14, 1330), (14, -26, 1260)], 10)
    return [
        *_parts(tube(middle, [(26, 34), (34, 44), (40, 50), (44, 46)]), Tissue.VISCERAL_FAT),
        Part(heart, Tissue.HEART),
        *_parts(pools, Tissue.VESSEL),
        *_parts(rod(path(_UPPER_CAVA, 6), [10, 9, 8]), Tissue.VESSEL, inside=False),
        *_parts(tube(path(_AIRWAY, 10), [(9, 8), (9, 8), (8, 8)]), Tissue.GAS, inside=False),
        *_parts(tube(path(_GULLET, 10), [(9, 5), (9, 5), (9, 6)]), Tissue.MUSCLE, inside=False),
    ]


def _great_vessels(vs: tuple[Vertebra, ...]) -> list[Part]:
    aorta = rod(beside(vs, path(_AORTA, 30)), [15, 15, 14, 12, 12, 11, 9])
    cava = tube(beside(vs, path(_CAVA, 10)), [(14, 10), (13, 9), (11, 8)])
    return _parts([*aorta, *cava], Tissue.VESSEL, inside=False)


def _back_wall(build: Build, vs: tuple[Vertebra, ...]) -> list[Part]:
    m, made = build.muscle, []
    for side in (-1, 1):
        line = beside(vs, path(np.array(_PSOAS) * (side, 1, 1), 14))
        made += _parts(
            tube(line, [(9 * m, 12 * m), (18 * m, 22 * m), (22 * m, 22 * m), (17, 17), (13, 13)]),
            Tissue.MUSCLE, inside=False,
        )  # fmt: skip
        vessel = rod(path(np.array(_ILIAC) * (side, 1, 1), 14), [8, 8, 7, 7, 6])
        made += _parts(vessel, Tissue.VESSEL, inside=False)
    return made


def _stomach(build: Build, rng: np.random.Generator) -> list[Part]:
    content = [Tissue.STOMACH, Tissue.BOWEL_CONTENT, Tissue.GAS][rng.choice(3, p=[0.5, 0.3, 0.2])]
    knots = [(66, 22, 1205), (68, 0, 1170), (58, -42, 1125), (28, -66, 1098), (-14, -56, 1112)]
    line = path(np.array(knots) + 0.5 * build.shift[_STOMACH] + (0, 0, 0.5 * build.breath_mm), 16)
    full = build.organ[_STOMACH] * float(rng.uniform(0.55, 1.0))
    half = np.array([(30, 34), (32, 36), (28, 26), (19, 18), (11, 11)]) * full
    gland = path([(-30, -18, 1092), (-4, -30, 1106), (38, -10, 1126), (80, 26, 1150)], 12)
    return [
        *_parts(tube(line, half + 4), Tissue.BOWEL_WALL),
        *_parts(tube(line, np.maximum(half - 1, 3)), content),
        *_parts(tube(gland, [(12, 14), (8, 10), (8, 10), (7, 9)]), Tissue.PANCREAS),
    ]


def _liver(build: Build, rng: np.random.Generator) -> list[Part]:
    """Fill the right upper belly under the diaphragm, above a slanted edge, beside the spine."""
    size, moved = build.organ[_LIVER], build.shift[_LIVER]
    contours, lobes = cavity_contours(build), ripples(rng, 0.05)
    lowest = 1068.0 - 130 * (size - 1) + build.breath_mm * 0.6 + moved[2]
    left = 46.0 + 2 * moved[0]

    def distance(place: Place) -> Field:
        x, y, z = place
        wall, _ = contours.distance(place)
        total = smooth_max(wall + 4, z - dome(build, place) + 3, 14.0)
        edge = np.float32(lowest) + np.float32(0.55) * (x + 92) + np.float32(0.16) * y
        swing = lobes((x / np.float32(90), y / np.float32(90), z / np.float32(90)))
        total = smooth_max(total, (edge - z) * np.float32(0.87) + 60 * swing, 16.0)
        total = smooth_max(total, (x - np.float32(left)) + np.float32(0.9) * (y + 30), 18.0)
        return smooth_max(total, 46 - np.hypot(x - 8, y - 52), 8.0)

    low, high = np.array([-150.0, -150.0, 985.0]), np.array([80.0, 105.0, 1270.0])
    liver = Solid(low, high, distance)
    place = np.array([-44.0, -46.0, lowest + 42])
    bile = ellipsoid(place, (13, 20, 18), frame_of(30, 0, 0))
    portal = rod(path([(-16, -14, 1124), (-42, -10, 1146), (-76, 6, 1164)], 8), [7, 6, 4])
    return [
        Part(liver, Tissue.LIVER, BY_NAME["liver"].label),
        Part(bile, Tissue.GALLBLADDER),
        *_parts(portal, Tissue.VESSEL),
    ]


def _spleen(build: Build, rng: np.random.Generator) -> list[Part]:
    """Crescent around the stomach."""
    size, moved = build.organ[_SPLEEN], build.shift[_SPLEEN]
    centre = np.array([92.0, 46.0, 1160.0 + 0.7 * build.breath_mm]) + 0.7 * moved
    whole = ellipsoid(
        centre, np.array([32, 45, 54]) * size, frame_of(14, -18, 25), ripples(rng, 0.04)
    )
    crescent = carved(whole, ellipsoid(shifted(centre, -40, -26, 6), (34, 40, 52)), 6.0)
    return [Part(crescent, Tissue.SPLEEN, BY_NAME["spleen"].label)]


def _kidney(
    build: Build, vs: tuple[Vertebra, ...], rng: np.random.Generator, side: int
) -> list[Part]:
    """Bean in its fat, with pelvis and adrenal gland; the right one lies lower."""
    slot = _KIDNEY[side]
    label = BY_NAME["kidney_left" if side > 0 else "kidney_right"].label
    centre = np.array([side * 66.0, 42.0, 1104.0 if side > 0 else 1086.0])
    centre += build.shift[slot] * (0.8, 0.6, 1.2) + (0, 0, 0.35 * build.breath_mm)
    centre = beside(vs, centre[None])[0]
    radii = np.array([28, 25, 53]) * build.organ[slot]
    turn = frame_of(-10, -side * 13, side * 28)
    whole = ellipsoid(centre, radii, turn, ripples(rng, 0.03))
    hilum = centre + np.array([-side * radii[0] * 0.95, -10, 0.0])
    bean = carved(whole, ellipsoid(hilum, (17, 13, 24), turn), 5.0)
    adrenal = centre + np.array([-side * 16.0, -4.0, radii[2] + 4])
    return [
        Part(ellipsoid(centre, radii * 1.28, turn), Tissue.VISCERAL_FAT, inside=False),
        Part(bean, Tissue.KIDNEY, label, inside=False),
        Part(ellipsoid(adrenal, (10, 4, 11), frame_of(0, side * 30, 0)), Tissue.GLAND),
    ]


def _bladder(build: Build, rng: np.random.Generator) -> list[Part]:
    """Bladder and what lies below and behind it; it is a bowl when it holds little."""
    full = min(1.0, build.bladder_ml / 260)
    shape = np.array([1.2, 1.0, 0.55 + 0.4 * full])
    radii = (build.bladder_ml * 3000 / (4 * np.pi) / np.prod(shape)) ** (1 / 3) * shape
    centre = np.array([0, -20.0, 890 + 0.85 * radii[2]]) + build.shift[_BLADDER] * (0.5, 0.4, 0.2)
    lobes = ripples(rng, 0.05)
    wall = ellipsoid(centre, radii + 5.0 - 2 * full, None, lobes, 2.2)
    urine = ellipsoid(centre, radii, None, lobes, 2.2)
    return [
        Part(wall, Tissue.MUSCLE, inside=False),
        Part(urine, Tissue.BLADDER, BY_NAME["bladder"].label, inside=False),
        *(_male(build) if build.male else _female(build, centre, radii)),
    ]


def _male(build: Build) -> list[Part]:
    size = build.organ[_GENITAL]
    gland = ellipsoid((0, 2, 868), np.array([25, 17, 17]) * size, power=2.3)
    vesicles = [rod(path([(s * 4, 26, 892), (s * 28, 30, 902)], 4), [6, 5]) for s in (-1, 1)]
    testes = [ellipsoid((s * 16, -78, 818), (13, 15, 21)) for s in (-1, 1)]
    return [
        Part(gland, Tissue.PROSTATE, inside=False),
        *[p for v in vesicles for p in _parts(v, Tissue.GLAND, inside=False)],
        *_parts(testes, Tissue.TESTIS, inside=False),
    ]


def _female(
    build: Build, bladder: np.ndarray[tuple[int], np.dtype[np.float64]],
    radii: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> list[Part]:  # fmt: skip
    centre = bladder + np.array([0, radii[1] + 20, 10])
    body = ellipsoid(centre, np.array([26, 20, 34]) * build.organ[_GENITAL], frame_of(-35, 0, 0))
    ovaries = [ellipsoid(shifted(centre, s * 44, 4, 0), (10, 9, 14)) for s in (-1, 1)]
    breasts = [
        Part(ellipsoid((s * 84, -128 - 0.3 * build.fat_mm, 1290), radius), tissue, inside=False)
        for tissue, radius in ((Tissue.FAT, (62, 28 + 0.6 * build.fat_mm, 56)),
                               (Tissue.BREAST, (34, 14 + 0.25 * build.fat_mm, 32)))
        for s in (-1, 1)
    ]  # fmt: skip
    return [Part(body, Tissue.UTERUS), *_parts(ovaries, Tissue.NODE), *breasts]
