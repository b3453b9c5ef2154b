"""b-values by vendor, with private elements found by creator and bytes decoded."""

import struct

import pytest
from pydicom import Dataset

from dicom_objects.attributes import InstanceHeader
from dicom_objects.reading.bvalues import read_b_value
from dicom_objects.reading.shells import fit_refusal, shell_table


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
    assert read_b_value(header(b=-1.0)).value is None


def test_the_standard_attribute_comes_first_and_conflicts_are_kept():
    siemens = (0x0019, "SIEMENS MR HEADER", 0x0C, "IS", "800")
    agrees = read_b_value(header(b=810.0, p=siemens))
    assert (agrees.value, agrees.source, agrees.conflict) == (810.0, "(0018,9087)", None)
    differs = read_b_value(header(b=400.0, p=siemens))
    assert differs.conflict == (800.0, "Siemens (0019,xx0C)")


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
