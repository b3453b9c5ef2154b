"""b-values by vendor, with private elements found by creator and bytes decoded."""

import struct

import pytest
from pydicom import Dataset

from dicom_objects.attributes import InstanceHeader
from dicom_objects.reading.bvalues import is_stripped, read_b_value
from dicom_objects.reading.shells import fit_refusal, shell_table
from tests.dicom_objects.reading.forms import csa_header


def header(b=None, **private):
    dataset = Dataset()
    if b is not None:
        dataset.DiffusionBValue = b
    for group, creator, offset, vr, value in private.values():
        dataset.private_block(group, creator, create=True).add_new(offset, vr, value)
    return InstanceHeader(dataset)


@pytest.mark.parametrize(
    ("element", "value", "source"),
    [
        ((0x0019, "SIEMENS MR HEADER", 0x0C, "IS", "50"), 50, "Siemens (0019,xx0C)"),
        ((0x0019, "SIEMENS MR HEADER", 0x0C, "UN", b"1000"), 1000, "Siemens (0019,xx0C)"),
        ((0x0043, "GEMS_PARM_01", 0x39, "IS", ["800", "8", "0"]), 800, "GE (0043,xx39)"),
        ((0x0043, "GEMS_PARM_01", 0x39, "IS", ["1000000700", "8"]), 700, "GE (0043,xx39)"),
        ((0x0043, "GEMS_PARM_01", 0x39, "UN", b"0\\8\\0\\0 "), 0, "GE (0043,xx39)"),
        ((0x2001, "Philips Imaging DD 001", 0x03, "FL", 900.0), 900, "Philips (2001,xx03)"),
        (
            (0x2001, "Philips Imaging DD 001", 0x03, "UN", struct.pack("<f", 600.0)),
            600,
            "Philips (2001,xx03)",
        ),
        (
            (0x0065, "Image Private Header", 0x09, "FD", 929.75),
            929.75,
            "United Imaging (0065,xx09)",
        ),
    ],
)
def test_each_vendors_private_element(element, value, source):
    reading = read_b_value(header(p=element))
    assert (reading.value, reading.source) == (value, source)


def test_another_creator_or_a_sentinel_is_no_b_value():
    assert read_b_value(header(p=(0x0019, "SOMEONE ELSE", 0x0C, "IS", "50"))).value is None
    philips = (0x2001, "Philips Imaging DD 001", 0x03, "FL", 1.7e38)
    assert read_b_value(header(p=philips)).value is None


def test_the_standard_attribute_comes_first_and_conflicts_are_kept():
    siemens = (0x0019, "SIEMENS MR HEADER", 0x0C, "IS", "800")
    agrees = read_b_value(header(b=810.0, p=siemens))
    assert (agrees.value, agrees.source, agrees.conflict) == (810.0, "(0018,9087)", None)
    differs = read_b_value(header(b=400.0, p=siemens))
    assert differs.conflict == (800.0, "Siemens (0019,xx0C)")


@pytest.mark.parametrize(("b", "limit"), [(-1.0, 0.0), (20_000.0, 10_000.0)])
def test_an_impossible_b_value_is_kept_to_be_refused(b, limit):
    reading = read_b_value(header(b=b))
    assert reading.value == b
    assert reading.conflict is not None
    assert reading.conflict[0] == limit


@pytest.mark.parametrize(
    ("other", "doubted", "refused"),
    [("1000", False, False), ("1015", False, False), ("1100", True, False), ("1300", True, True)],
)
def test_sources_are_doubted_beyond_two_and_refused_beyond_twenty_percent(other, doubted, refused):
    siemens = (0x0019, "SIEMENS MR HEADER", 0x0C, "IS", other)
    reading = read_b_value(header(b=1000.0, p=siemens))
    said = (float(other), "Siemens (0019,xx0C)")
    assert reading.doubt == (said if doubted and not refused else None)
    assert reading.conflict == (said if refused else None)


def test_five_units_are_no_doubt_between_small_b_values():
    siemens = (0x0019, "SIEMENS MR HEADER", 0x0C, "IS", "5")
    reading = read_b_value(header(b=0.0, p=siemens))
    assert (reading.value, reading.doubt, reading.conflict) == (0.0, None, None)


def test_united_imaging_keeps_the_protocols_value_beside_the_actual():
    creator = "Image Private Header"
    actual = (0x0065, creator, 0x09, "FD", 929.75)
    nominal = (0x0065, creator, 0x0A, "FD", 1000.0)
    reading = read_b_value(header(p=actual, q=nominal))
    assert (reading.value, reading.nominal, reading.doubt) == (929.75, 1000.0, None)


def test_creators_are_found_in_any_block_and_any_case():
    dataset = Dataset()
    dataset.add_new(0x20010011, "LO", "PHILIPS IMAGING DD 001")
    dataset.add_new(0x20011103, "FL", 700.0)
    assert read_b_value(InstanceHeader(dataset)).value == 700.0


def test_without_creators_block_16_is_believed_of_that_vendor_only():
    dataset = Dataset()
    dataset.add_new(0x0019100C, "UN", b"800 ")
    reading = read_b_value(InstanceHeader(dataset), "SIEMENS")
    assert reading.value == 800.0
    assert "low confidence" in reading.source
    assert read_b_value(InstanceHeader(dataset), "GE MEDICAL SYSTEMS").value is None
    dataset.add_new(0x00190010, "LO", "SOMEONE ELSE")  # then the block is theirs
    assert read_b_value(InstanceHeader(dataset), "SIEMENS").value is None


@pytest.mark.parametrize(
    ("keyword", "value", "b"),
    [
        ("ImageComments", "b=1500(0.895,0.000,0.445)", 1500),
        ("ImageComments", "b=12.5(1,0,0)", 12.5),
        ("ImageComments", "signal at b=1500 is low", None),
        ("SequenceName", "*ep_b1000t", 1000),
        ("SequenceName", "ep_b800#12", 800),
        ("SequenceName", "*ep_b0", 0),
        ("SequenceName", "ep_b0_2500", None),
        ("SequenceName", "*ep_b50_800", None),
        ("SequenceName", "*ep_b1000tb", None),
    ],
)
def test_texts_are_the_last_source(keyword, value, b):
    dataset = Dataset()
    setattr(dataset, keyword, value)
    reading = read_b_value(InstanceHeader(dataset))
    assert reading.value == b
    assert reading.source == ("none" if b is None else keyword)


@pytest.mark.parametrize("version", [1, 2])
def test_the_csa_header_is_read_where_the_siemens_element_is_missing(version):
    data = csa_header({"Junk": ["", "x"], "B_value": ["650", "", ""]}, version)
    element = (0x0029, "SIEMENS CSA HEADER", 0x10, "OB", data)
    reading = read_b_value(header(p=element))
    assert (reading.value, reading.source) == (650.0, "Siemens CSA B_value")


@pytest.mark.parametrize(
    ("manufacturer", "private", "stripped"),
    [
        ("SIEMENS", {}, True),
        ("GE MEDICAL SYSTEMS", {}, True),
        ("UIH", {}, True),
        ("Philips", {}, False),
        ("SIEMENS", {"p": (0x0019, "SIEMENS MR HEADER", 0x08, "CS", "IMAGE NUM 4")}, False),
    ],
)
def test_a_missing_b_value_is_blamed_on_a_deidentifier_only_if_nothing_is_left(
    manufacturer, private, stripped
):
    found = header(**private)
    b = read_b_value(found, manufacturer)
    said = is_stripped(b, manufacturer, has_private_groups=found.has_private_groups)
    assert said is stripped


def test_shells_join_actual_values_and_keep_others_apart():
    table = shell_table([0, 1.25, 50, 600, 925.0, 929.75, 940.0])
    assert table == {
        0: 0.625,
        1.25: 0.625,
        50: 50,
        600: 600,
        925: 929.75,
        929.75: 929.75,
        940: 929.75,
    }


@pytest.mark.parametrize(
    ("b_values", "code"),
    [
        ((50, 600, 900), None),
        ((0, 1000), None),
        ((900,), "ONE_SHELL_ONLY"),
        ((600, 900), "B_RANGE"),
        ((0, 50), "B_RANGE"),
        ((0, 2500), "B_RANGE"),
    ],
)
def test_which_b_values_can_be_fitted(b_values, code):
    refusal = fit_refusal(b_values)
    assert (refusal and refusal[0]) == code
