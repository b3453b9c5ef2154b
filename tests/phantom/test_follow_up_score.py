from __future__ import annotations

import numpy as np
import pytest

from phantom.follow_up_score import MeasuredLink, SeenVisit, TrackScore, score_tracks
from phantom.follow_up_truth import TrueLink


def row(*numbers):
    """A row of boxes of ten voxels, each with its number."""
    return np.repeat(np.array(numbers, np.uint16), 10)[None, None]


BEFORE, AFTER = row(1, 0, 2, 0), row(1, 0, 0, 2)
TRUTH = (
    TrueLink("persistent", (1,), (1,)),
    TrueLink("resolved", (2,), ()),
    TrueLink("new", (), (2,)),
)
RIGHT = (
    MeasuredLink("persistent", (1,), (1,)),
    MeasuredLink("resolved", (2,), ()),
    MeasuredLink("new", (), (2,)),
)


@pytest.mark.parametrize(
    ("measured", "score"),
    [
        (RIGHT, TrackScore(right=3)),
        # One lesion taken for two: gone and new.
        (
            (MeasuredLink("resolved", (1,), ()), MeasuredLink("new", (), (1,)), *RIGHT[1:]),
            TrackScore(right=2, wrong=1),
        ),
        # Two lesions taken for one.
        ((RIGHT[0], MeasuredLink("persistent", (2,), (2,))), TrackScore(right=1, wrong=2)),
        # A merge that is none touches both true links.
        ((MeasuredLink("merged", (1, 2), (1,)), RIGHT[2]), TrackScore(right=1, wrong=2)),
        ((RIGHT[0],), TrackScore(right=1, missed=2)),
        ((*RIGHT, MeasuredLink("new", (), (9,))), TrackScore(right=3, false=1)),
    ],
)
def test_tracks_are_counted_by_what_is_true(measured, score):
    assert (
        score_tracks(TRUTH, measured, SeenVisit(BEFORE, BEFORE), SeenVisit(AFTER, AFTER)) == score
    )


def test_a_lesion_that_was_missed_at_one_visit_makes_a_wrong_track():
    unseen = SeenVisit(BEFORE, row(0, 0, 2, 0))
    measured = (MeasuredLink("new", (), (1,)), *RIGHT[1:])
    found = score_tracks(TRUTH, measured, unseen, SeenVisit(AFTER, AFTER))
    assert found == TrackScore(right=2, wrong=1)


def test_scores_add_up_and_give_a_share():
    total = TrackScore(3, 1, 2, 0) + TrackScore(1, 0, 0, 1)
    assert total == TrackScore(4, 1, 2, 1)
    assert total.share_right == 0.8
    assert TrackScore(missed=1).share_right is None
