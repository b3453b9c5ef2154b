"""The shape of a single vertebra, and the discs between them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from phantom.shapes import Block, mirrored, tube, vector
from phantom.tissue import Tissue

if TYPE_CHECKING:
    from phantom.habitus import Habitus
    from phantom.shapes import Shape
    from phantom.spine import Vertebra

_FIRST_THORACIC, _FIRST_LUMBAR = 7, 19


def vertebra_shapes(v: Vertebra, habitus: Habitus) -> list[Shape]:
    """Body, arch, spinous, transverse and articular processes."""
    shapes: list[Shape] = [*_arch(v, habitus), *_processes(v, habitus)]
    if v.index == 0:  # the atlas is a ring; the dens of C2 stands in its front
        ring = [v.at(14, 2, 0), v.at(8, -7, 0), v.at(0, -9, 0), v.at(-8, -7, 0), v.at(-14, 2, 0)]
        shapes.append(tube(v.label, ring, [5, 3.5, 5]))
        return shapes
    body = (v.half_width, v.half_depth, v.half_height)
    shapes.append(Block(v.label, vector(v.centre), body, v.frame, 3.2))
    if v.index == 1:
        shapes.append(tube(v.label, [v.at(0, 1, 4), v.at(0, 0, 20)], [6, 5]))
    return shapes


def _arch(v: Vertebra, habitus: Habitus) -> list[Shape]:
    width, depth = v.canal
    thick = (2.6 if v.index < _FIRST_THORACIC else 3.4) * habitus.bone
    rows = []
    for up in np.linspace(-0.45, 0.35, 4) * 2 * v.half_height:
        drop = 0.25 * v.half_height
        ring = [
            v.at(
                (width + thick) * np.sin(a),
                v.canal_back - (depth + thick) * np.cos(a),
                up - drop * (1 - np.cos(a)) / 2,
            )
            for a in np.linspace(0.25 * np.pi, 1.75 * np.pi, 14)
        ]
        rows.append(tube(v.label, ring, [thick, 0.9 * thick, thick]))
    return list(rows)


def _processes(v: Vertebra, habitus: Habitus) -> list[Shape]:
    spinous = _spinous_process(v, habitus.bone) if v.index > 0 else []
    sides = [_side_processes(v, habitus.bone, side) for side in (-1, 1)]
    return [*spinous, *sides[0], *sides[1]]


def _spinous_process(v: Vertebra, b: float) -> list[Shape]:
    i, back = v.index, v.canal_back + v.canal[1]
    lumbar = i >= _FIRST_LUMBAR
    reach = float(np.interp(i, [0, 1, 5, 6, 8, 14, 19, 23], [4, 14, 18, 26, 26, 24, 26, 25]))
    steep = _FIRST_THORACIC <= i < _FIRST_LUMBAR - 2
    down = -22.0 if steep else (-5.0 if lumbar else -7.0)
    knots = [
        v.at(0, back + 1, -2),
        v.at(0, back + reach * 0.6, down * 0.6),
        v.at(0, back + reach, down),
    ]
    shapes: list[Shape] = [tube(v.label, knots, [4.2 * b, 3.2 * b, 4.4 * b])]
    if lumbar:
        middle = vector(v.at(0, back + reach * 0.6, -4))
        shapes.append(Block(v.label, middle, (3.6, reach * 0.5, 10), v.frame, 2.6))
    return shapes


def _side_processes(v: Vertebra, b: float, side: int) -> list[Shape]:
    """Transverse process and the pillar of the joints on one side."""
    i = v.index
    reach = float(np.interp(i, [0, 1, 6, 7, 18, 19, 21, 23], [36, 24, 30, 34, 24, 36, 44, 42]))
    slant = float(np.interp(i, [0, 6, 8, 18, 19, 23], [0, 8, 18, 16, 4, 2]))
    wide, back = v.canal[0], v.canal_back
    transverse = [
        (wide + 3, back - 2, 2),
        (0.6 * reach, back + 0.4 * slant, 2),
        (reach, back + slant - 4, 3),
    ]
    joint = [
        (wide + 4, back + 3, 1.05 * v.half_height),
        (wide + 4, back + 5, -1.15 * v.half_height),
    ]
    return [
        tube(v.label, [v.at(*k) for k in mirrored(knots, side)], [r * b for r in radii])
        for knots, radii in ((transverse, (4.2, 3.4, 3.8)), (joint, (4.4, 4.0)))
    ]


def discs(vs: tuple[Vertebra, ...]) -> list[Shape]:
    """Make the discs between the bodies."""
    shapes: list[Shape] = []
    for upper, lower in pairwise(vs[1:]):
        middle = (upper.centre + lower.centre) / 2
        size = (upper.half_width * 0.97, upper.half_depth * 0.97, 5.5)
        shapes.append(Block(Tissue.DISC, vector(middle), size, upper.frame, 3.0))
    return shapes
