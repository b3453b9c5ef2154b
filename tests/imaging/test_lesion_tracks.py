from __future__ import annotations

import numpy as np
import pytest

from imaging.geometry import Geometry
from imaging.lesion_tracks import Carried, Link, link_lesions

GRID = Geometry.axial((20, 40, 40), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0))


def lesions(*boxes):
    """Boxes (start, stop) along columns, 4 voxels thick otherwise, numbered from 1."""
    labels = np.zeros(GRID.shape, np.uint16)
    for number, (start, stop) in enumerate(boxes, start=1):
        labels[8:12, 18:22, start:stop] = number
    return labels


def linked(earlier, now, shown_now=None, shown_earlier=None):
    everywhere = np.ones(GRID.shape, np.bool_)
    return link_lesions(
        Carried(
            GRID,
            lesions(*now),
            lesions(*earlier),
            everywhere if shown_now is None else shown_now,
            everywhere if shown_earlier is None else shown_earlier,
        )
    )


@pytest.mark.parametrize(
    ("earlier", "now", "links"),
    [
        ([(5, 10)], [(6, 11)], [Link("persistent", (1,), (1,))]),
        ([], [(5, 10)], [Link("new", (1,), ())]),
        ([(5, 10)], [], [Link("resolved", (), (1,))]),
        ([(5, 10), (12, 17)], [(5, 17)], [Link("merged", (1,), (1, 2))]),
        ([(5, 17)], [(5, 10), (12, 17)], [Link("split", (1, 2), (1,))]),
        # 6 voxels of 40 lie in the other: 0.15 of the smaller
        ([(0, 20)], [(17, 37)], [Link("persistent", (1,), (1,))]),
        # Neighbours that a registration moved by a voxel: each stays what it was.
        (
            [(5, 10), (10, 15)],
            [(6, 11), (11, 16)],
            [Link("persistent", (1,), (1,)), Link("persistent", (2,), (2,))],
        ),
        # No overlap, middles 14 mm apart, both of a radius of 5.8 mm: within both and the slack.
        ([(5, 10)], [(12, 17)], [Link("persistent", (1,), (1,))]),
        # 18 mm apart: another lesion.
        ([(5, 10)], [(14, 19)], [Link("new", (1,), ()), Link("resolved", (), (1,))]),
    ],
)
def test_what_became_of_lesions(earlier, now, links):
    assert linked(earlier, now) == tuple(links)


def test_not_covered_is_neither_new_nor_resolved():
    half = np.zeros(GRID.shape, np.bool_)
    half[..., :20] = True
    assert linked([], [(25, 30)], shown_earlier=half) == (Link("not_covered_before", (1,), ()),)
    assert linked([(25, 30)], [], shown_now=half) == (Link("not_covered_now", (), (1,)),)
    # Half of it or more is in the images.
    assert linked([], [(18, 22)], shown_earlier=half)[0].state == "new"


def test_every_lesion_is_in_exactly_one_link():
    rng = np.random.default_rng(3)
    starts = np.sort(rng.choice(36, 9, replace=False))
    now = [(int(s), int(s) + 2) for s in starts]
    earlier = [(int(s) + 1, int(s) + 4) for s in starts[::2]]
    found = linked(earlier, now)
    assert sorted(n for link in found for n in link.now) == list(range(1, 10))
    held = np.unique(lesions(*earlier))
    assert sorted(n for link in found for n in link.earlier) == [int(k) for k in held if k]
