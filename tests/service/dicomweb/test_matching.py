"""Matching (PS3.4 C.2.2.2) against others: a shell's wildcards, the calendar's order."""

import datetime as dt
import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dicomweb.matching import Condition, NotMatchable

TEXT = st.text("ABab12 ^._-[]()+$", max_size=12)
UIDS = st.lists(st.integers(0, 9999), min_size=1, max_size=5).map(
    lambda parts: ".".join(map(str, parts))
)
DATES = st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31))


def document(vr, *values, tag="00100020"):
    return {tag: {"vr": vr, "Value": list(values)}}


def fits(vr, wanted, *values):
    return Condition(("00100020",), vr, wanted).fits(document(vr, *values))


@given(TEXT, st.text("ABab12*? ", max_size=8))
def test_wildcards_are_those_of_a_shell(value, pattern):
    if pattern in ("", "*"):
        return
    shell = fnmatch.fnmatchcase(value.strip(" "), pattern.replace("[", "[[]"))
    assert fits("LO", pattern, value) == shell


@given(TEXT)
def test_a_text_without_wildcards_is_compared_as_it_is(value):
    plain = value.strip(" ")
    if plain:
        assert fits("LO", plain, value)
        assert not fits("LO", plain + "x", value)


@given(TEXT)
def test_names_are_compared_without_case(value):
    name = value.strip(" ")
    if name.strip("^"):
        condition = Condition(("00100010",), "PN", name.upper())
        for written in (name.lower(), name.upper()):
            told = document("PN", {"Alphabetic": written.rstrip("^")}, tag="00100010")
            assert condition.fits(told)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("Doe^Jane", True),
        ("DOE^JANE^^^", True),
        ("doe*", True),
        ("*jane*", True),
        ("D?e^J?ne", True),
        ("Doe", False),
        ("Jane^Doe", False),
        ("山田^太郎", True),
    ],
)
def test_any_script_of_a_name_may_fit(wanted, found):
    name = {"Alphabetic": "Doe^Jane", "Ideographic": "山田^太郎"}
    assert (
        Condition(("00100010",), "PN", wanted).fits(document("PN", name, tag="00100010")) is found
    )


@given(DATES, DATES, DATES)
def test_ranges_of_dates_are_closed(day, one, other):
    low, high = sorted((one, other))
    told = f"{day:%Y%m%d}"
    assert fits("DA", f"{low:%Y%m%d}-{high:%Y%m%d}", told) == (low <= day <= high)
    assert fits("DA", f"{low:%Y%m%d}-", told) == (low <= day)
    assert fits("DA", f"-{high:%Y%m%d}", told) == (day <= high)
    assert fits("DA", f"{low:%Y%m%d}", told) == (low == day)


TIMES = st.times().map(lambda t: t.replace(microsecond=0))


@given(TIMES, TIMES, TIMES)
def test_ranges_of_times_are_closed(moment, one, other):
    low, high = sorted((one, other))
    told = f"{moment:%H%M%S}"
    assert fits("TM", f"{low:%H%M%S}-{high:%H%M%S}", told) == (low <= moment <= high)


@pytest.mark.parametrize(
    ("wanted", "value", "found"),
    [
        ("0930-1130", "113059.9", True),
        ("0930-1130", "113100", False),
        ("0930-1130", "092959.999999", False),
        ("1015", "101530", True),
        ("10", "105959", True),
        ("10-", "095959", False),
    ],
)
def test_a_time_that_leaves_seconds_out_means_all_of_them(wanted, value, found):
    assert fits("TM", wanted, value) is found


@given(st.lists(UIDS, min_size=1, max_size=4), UIDS)
def test_a_list_of_uids_fits_each_of_them(wanted, uid):
    for between in (",", "\\"):
        assert fits("UI", between.join(wanted), uid) == (uid in wanted)


@given(st.integers(-9999, 9999), st.integers(-9999, 9999))
def test_numbers_are_compared_as_numbers(wanted, value):
    assert fits("IS", str(wanted), value) == (wanted == value)
    assert fits("DS", f"{wanted}.0", float(value)) == (wanted == value)


@pytest.mark.parametrize("vr", ["LO", "PN", "DA", "UI", "IS", "SQ"])
@pytest.mark.parametrize("wanted", ["", "*"])
def test_everything_fits_everything_also_what_is_missing(vr, wanted):
    assert Condition(("00100020",), vr, wanted).fits({})
    assert fits(vr, wanted)


@pytest.mark.parametrize(("vr", "wanted"), [("LO", "?*"), ("DA", "20260101-"), ("IS", "1")])
def test_what_is_missing_fits_nothing_else(vr, wanted):
    assert not Condition(("00100020",), vr, wanted).fits({})
    assert not fits(vr, wanted)
    assert not Condition(("00100020",), vr, wanted).fits({"00100020": {"vr": vr}})


def test_one_of_many_values_is_enough():
    assert fits("CS", "SEG", "MR", "SEG")
    assert not fits("CS", "PT", "MR", "SEG")


def test_attributes_in_sequences():
    told = {
        "00400275": {
            "vr": "SQ",
            "Value": [{}, {"00400009": {"vr": "SH", "Value": ["STEP-2"]}}],
        }
    }
    path = ("00400275", "00400009")
    assert Condition(path, "SH", "STEP-?").fits(told)
    assert not Condition(path, "SH", "STEP-1").fits(told)


@pytest.mark.parametrize(
    ("vr", "wanted"),
    [
        ("DA", "2026"),
        ("DA", "20260101-2027"),
        ("DA", "-"),
        ("DA", "20260101-20260102-20260103"),
        ("TM", "25:00"),
        ("TM", "1"),
        ("IS", "seven"),
        ("SQ", "x"),
    ],
)
def test_what_cannot_be_compared_is_told_at_once(vr, wanted):
    with pytest.raises(NotMatchable):
        Condition(("00100020",), vr, wanted)
