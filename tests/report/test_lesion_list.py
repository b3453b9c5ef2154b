"""All lesions for the console: sorted, marked, with those that are gone; MET-RADS-P findings."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from imaging.response import (
    Change,
    Comparison,
    LesionCounts,
    LesionTrack,
    Mark,
    PriorComparison,
    RegionChange,
    TimePoint,
)
from imaging.response_limits import Limit
from report import fragments
from report.changes import finding_words
from report.documents import measurements_document
from report.lesion_list import LesionOrder, followed_lesions, gone_lesions
from report.prior_reading import comparison_of, with_prior_histogram

LIMIT = Limit(-47.0, 89.0, "a source")
NOTHING = Change(None, None)


def track(state, current, prior, volume, adc=NOTHING):
    name = (current or prior)[0]
    return LesionTrack(state, name, "2.25.1", "lumbar_spine", current, prior, volume, adc)


@pytest.fixture
def compared():
    """L01 has grown, L02 is new, L09 is gone, L08 is not in the images any more."""
    tracks = (
        track("persistent", ("L01",), ("L01",), Change(4.0, 9.7, LIMIT, "up"),
              Change(1000.0, 980.0, LIMIT, "within")),
        track("new", ("L02",), (), Change(0.0, 0.3)),
        track("resolved", (), ("L09",), Change(1.234, 0.0)),
        track("not_covered_now", (), ("L08",), Change(2.0, None)),
    )  # fmt: skip
    rise = Change(1000.0, 1420.0, LIMIT, "up")
    counts = LesionCounts(persistent=1, new=1, resolved=1, grown=1)
    marks = (Mark(40.0, "%", "up"), Mark(1400.0, "um2/s", "up"))
    lumbar = RegionChange(
        "metrads_lumbosacral_spine", "Lumbosacral spine", True, "", rise, rise, NOTHING, marks,
        counts,
    )  # fmt: skip
    point = TimePoint("1.9", "r", "2025-10-01", "", 10.0, 900.0, 3, (1, 2, 3), "complete")
    prior = PriorComparison(
        point, ("previous",), 90, True, rise, rise, (), (), (lumbar,), tracks, counts
    )
    return Comparison((point, replace(point, study_uid="1.2.840.1")), (prior,))


@pytest.mark.parametrize(
    ("order", "names"),
    [("name", ["L01", "L02"]), ("volume", ["L01", "L02"]), ("adc", ["L01", "L02"]),
     ("change", ["L02", "L01"]), ("region", ["L01", "L02"])],
)  # fmt: skip
def test_lesions_are_sorted_as_asked(content, compared, order, names):
    found = followed_lesions(measurements_document(content), compared, LesionOrder(order))
    assert [one.listed.row.name for one in found] == names


def test_what_is_new_or_grown_is_marked_and_what_is_gone_is_named(content, compared):
    document = measurements_document(content)
    marks = {one.listed.row.name: (one.mark, one.listed.since, one.adc_since)
             for one in followed_lesions(document, compared, LesionOrder.NAME)}  # fmt: skip
    assert marks == {"L01": ("grown", "+142 % ▲", "-2 %"), "L02": ("new", "new", "")}
    gone = [
        (one.name, one.region, one.volume_before_ml, one.what) for one in gone_lesions(compared)
    ]
    assert gone == [
        ("L09", "Lumbar spine", "1.23", "no longer seen"),
        ("L08", "Lumbar spine", "2.00", "not covered now"),
    ]
    assert gone_lesions(None) == ()


def test_the_list_links_each_lesion_and_every_other_order(content, compared):
    links = {str(one): f"?by={one}" for one in LesionOrder}
    html = fragments.all_lesions(
        measurements_document(content), compared, LesionOrder.VOLUME, links, "/see?lesion={}".format
    )
    assert html.count('href="/see?lesion=L0') == 2
    assert 'aria-sort="descending">mL' in html
    assert "?by=volume" not in html
    assert 'href="?by=change"' in html
    assert "style=" not in html


def test_findings_are_facts_and_no_category(content, compared):
    [change] = compared.headline.met_rads
    assert finding_words(change) == (
        "ADC risen by 40 % or more, ADC passed 1400 µm²/s upwards, 1 new, 1 no longer seen, 1 grown"
    )
    html = fragments.met_rads(measurements_document(content), compared)
    assert "ADC passed 1400 µm²/s upwards" in html
    assert not re.search(r"RAC [1-5]", html)
    assert "risen" not in fragments.met_rads(measurements_document(content))


def test_a_page_made_of_the_file_has_percentages_and_outline_of_the_day(content, compared):
    document = measurements_document(replace(content, comparison=compared))
    document["priors"][0]["delta"]["tdv_ml"] |= {"before": 0.003, "after": 0.004, "percent": 26.5}
    read = with_prior_histogram(comparison_of(document), (0.0, 1.5))
    assert read.headline.tdv.percent == 26.5  # and not 33.3, which the rounded values give
    assert read.headline.prior.adc_histogram_ml == (0.0, 1.5)
    assert with_prior_histogram(None, (1.0,)) is None
