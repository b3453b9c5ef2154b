"""The spine as a chain: every vertebra stands on the one below, leaning by its own angles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import BY_NAME
from phantom.contoured.implicit import frame_of

if TYPE_CHECKING:
    from phantom.contoured.build import Build
    from phantom.contoured.implicit import Points

CERVICAL = 7
BASE = np.array([0.0, 37.0, 992.0])
"""Middle of the sacral end plate."""
_STRAIGHT_Y = np.interp(np.arange(26), (0, 7, 13, 18, 21, 25), (11, 33, 50, 30, 18, 30))
_TOP_MM = 1584.0
_BALANCE_Y = 10.0
_REGION = (("cervical_spine", (17.0, 17.5)), ("thoracic_spine", (21.0, 28.0)),
           ("lumbar_spine", (34.0, 37.0)))  # fmt: skip


@dataclass(frozen=True, eq=False)
class Vertebra:
    """One vertebra. Lengths in mm; `place` is the middle of its body."""

    level: int
    """Counted from C1 = 0."""
    region: str
    rank: float
    """0 at the top of its region, 1 at the bottom."""
    place: Points = field(repr=False)
    frame: Points = field(repr=False)
    """Rows: left, back, up."""
    half: tuple[float, float, float]
    """Half width, depth and height of the body."""
    canal: tuple[float, float]
    wedge: float
    gap_mm: float
    """Disc below it."""

    @property
    def label(self) -> int:
        """Its region's label."""
        return BY_NAME[self.region].label

    @property
    def canal_back(self) -> float:
        """How far behind the middle of the body the middle of the canal lies."""
        return self.half[1] + self.canal[1] - 0.5

    def at(self, left: float, back: float, up: float) -> Points:
        """Return the place of an offset in its frame."""
        placed: Points = self.place + np.array([left, back, up]) @ self.frame
        return placed


def vertebrae(build: Build) -> tuple[Vertebra, ...]:
    """Return C1 to the last lumbar vertebra, from top to bottom."""
    regions, ranks = _levels(build)
    pitch = np.array(
        [np.interp(r, (0, 1), dict(_REGION)[n]) for n, r in zip(regions, ranks, strict=True)]
    )
    wedge = build.wedge[: len(pitch)]
    forward, left, turn = _angles(build, regions)
    pitch = pitch * (0.5 + 0.5 * wedge)
    pitch = pitch * (_TOP_MM - BASE[2]) / float((pitch * np.cos(np.deg2rad(forward))).sum())
    forward = forward + np.rad2deg((_drift(pitch, forward) + BASE[1] - _BALANCE_Y) / pitch.sum())
    foot, made = BASE.copy(), []
    for i in range(len(pitch) - 1, -1, -1):
        frame = frame_of(forward[i], left[i], turn[i])
        share = 0.8 if regions[i] != "lumbar_spine" else 0.74
        middle = foot + (0.5 * pitch[i] + 0.5 * (1 - share) * pitch[i]) * frame[2]
        wide, deep, canal = _size(build, i, regions, ranks)
        half = (wide, deep, 0.5 * share * float(pitch[i]))
        gap = (1 - share) * float(pitch[i])
        made.append(Vertebra(i, regions[i], float(ranks[i]), middle, frame, half, canal,
                             float(wedge[i]), gap))  # fmt: skip
        foot = foot + pitch[i] * frame[2]
    return tuple(made[::-1])


def _levels(build: Build) -> tuple[list[str], list[float]]:
    regions, ranks = [], []
    counts = (CERVICAL, build.thoracic, build.lumbar)
    for (name, _), count in zip(_REGION, counts, strict=True):
        regions += [name] * count
        ranks += np.linspace(0, 1, count).tolist()
    return regions, ranks


def _angles(build: Build, regions: list[str]) -> tuple[Points, Points, Points]:
    """Lean forward, lean to the left and axial turn of every vertebra in degrees."""
    n, level = len(regions), np.arange(len(regions))
    bottom = 0.55 * build.lordosis_deg
    waist = bottom - build.lordosis_deg
    shoulders = waist + build.kyphosis_deg
    knots = (0, CERVICAL, CERVICAL + build.thoracic, n - 1)
    leans = (shoulders - build.neck_deg, shoulders, waist, bottom)
    forward = np.interp(level, knots, leans)
    left = np.zeros(n)
    turn = np.zeros(n)
    for apex, share in ((build.apex, 1.0), (build.apex - 8.5, -build.second_curve)):
        t = (level - apex) / 4.0
        left += build.cobb_deg * share * 0.5 * t * np.exp(0.5 - 0.5 * t**2)
        turn += 0.35 * build.cobb_deg * share * np.exp(-(t**2))
    return forward, left - left.mean(), turn


def _drift(pitch: Points, forward: Points) -> float:
    """How far back the top of the column lies of its foot."""
    return -float((pitch * np.sin(np.deg2rad(forward))).sum())


def _size(
    build: Build, level: int, regions: list[str], ranks: list[float]
) -> tuple[float, float, tuple[float, float]]:
    region, rank = regions[level], ranks[level]
    wide = {"cervical_spine": (9.5, 14.0), "thoracic_spine": (14.0, 21.5),
            "lumbar_spine": (22.5, 27.0)}[region]  # fmt: skip
    deep = {"cervical_spine": (7.8, 8.8), "thoracic_spine": (9.5, 16.0),
            "lumbar_spine": (16.8, 18.2)}[region]  # fmt: skip
    canal_wide = {"cervical_spine": (11.5, 11.0), "thoracic_spine": (8.6, 9.2),
                  "lumbar_spine": (10.2, 11.8)}[region]  # fmt: skip
    canal_deep = {"cervical_spine": (8.2, 7.0), "thoracic_spine": (7.4, 7.6),
                  "lumbar_spine": (7.8, 8.0)}[region]  # fmt: skip
    wide_mm, deep_mm, half_wide, half_deep = (
        float(np.interp(rank, (0, 1), pair)) for pair in (wide, deep, canal_wide, canal_deep)
    )
    return wide_mm * build.bone, deep_mm * build.bone, (half_wide, half_deep)


def beside(vs: tuple[Vertebra, ...], points: Points) -> Points:
    """Move points that were given beside a straight spine to where this one lies."""
    places = np.array([v.place for v in vs])[::-1]
    sideways = np.interp(points[:, 2], places[:, 2], places[:, 0])
    back = np.interp(points[:, 2], places[:, 2], places[:, 1] - _STRAIGHT_Y[: len(vs)][::-1])
    lumbar = np.clip((1200 - points[:, 2]) / 120, 0, 1)
    moved: Points = points + np.stack([0.85 * sideways, 0.6 * back * lumbar, 0 * back], axis=1)
    return moved
