"""Directions and their words, as each vendor writes them."""

import struct

import numpy as np
import pytest
from pydicom import Dataset

from dicom_objects.attributes import InstanceHeader
from dicom_objects.reading.directions import (
    principal_direction,
    read_directionality,
    read_gradient,
)
from tests.dicom_objects.reading.forms import csa_header, item

SIEMENS = (0x0019, "SIEMENS MR HEADER")
PHILIPS = (0x2001, "Philips Imaging DD 001")
PHILIPS_AXES = (0x2005, "Philips MR Imaging DD 001")
GE = (0x0043, "GEMS_PARM_01")
GE_AXES = (0x0019, "GEMS_ACQU_01")
UNITED_IMAGING = (0x0065, "Image Private Header")


def header(*elements, **standard):
    dataset = item(**standard)
    for (group, creator), offset, vr, value in elements:
        dataset.private_block(group, creator, create=True).add_new(offset, vr, value)
    return InstanceHeader(dataset)


@pytest.mark.parametrize(
    ("element", "word"),
    [
        ((SIEMENS, 0x0D, "CS", "ISOTROPIC"), "ISOTROPIC"),
        ((SIEMENS, 0x0D, "CS", "BMATRIX"), "DIRECTIONAL"),
        ((SIEMENS, 0x0D, "UN", b"NONE"), "NONE"),
        ((PHILIPS, 0x04, "CS", "I"), "ISOTROPIC"),
        ((PHILIPS, 0x04, "CS", "O"), "DIRECTIONAL"),
        ((PHILIPS, 0x04, "UN", b"M "), "DIRECTIONAL"),
        ((GE, 0x30, "US", 14), "NONE"),
        ((GE, 0x30, "US", 16), "DIRECTIONAL"),
        ((GE, 0x30, "US", 18), "FA"),
        ((GE, 0x30, "UN", struct.pack("<H", 19)), "ISOTROPIC"),
        ((GE, 0x30, "US", 77), ""),
    ],
)
def test_each_vendors_word(element, word):
    assert read_directionality(header(element)) == word


def test_the_standard_word_comes_first():
    both = header((SIEMENS, 0x0D, "CS", "NONE"), DiffusionDirectionality="ISOTROPIC")
    assert read_directionality(both) == "ISOTROPIC"


@pytest.mark.parametrize(
    ("elements", "standard"),
    [
        ([], {"DiffusionGradientOrientation": [0.6, 0.0, 0.8]}),
        (
            [],
            {
                "DiffusionGradientDirectionSequence": [
                    item(DiffusionGradientOrientation=[0.6, 0.0, 0.8])
                ]
            },
        ),
        ([(SIEMENS, 0x0E, "FD", [0.6, 0.0, 0.8])], {}),
        ([(SIEMENS, 0x0E, "UN", struct.pack("<3d", 0.6, 0.0, 0.8))], {}),
        ([(SIEMENS, 0x27, "FD", [360.0, 0.0, 480.0, 0.0, 0.0, 640.0])], {}),
        (
            [
                (GE_AXES, 0xBB, "DS", "0.6"),
                (GE_AXES, 0xBC, "DS", "0"),
                (GE_AXES, 0xBD, "UN", b"0.8 "),
            ],
            {},
        ),
        (
            [
                (PHILIPS_AXES, 0xB0, "FL", 0.6),
                (PHILIPS_AXES, 0xB1, "FL", 0.0),
                (PHILIPS_AXES, 0xB2, "UN", struct.pack("<f", 0.8)),
            ],
            {},
        ),
        ([(UNITED_IMAGING, 0x37, "FD", [0.6, 0.0, 0.8])], {}),
        ([], {"ImageComments": "b=1500(0.600,0.000,0.800)"}),
        (
            [
                (
                    (0x0029, "SIEMENS CSA HEADER"),
                    0x10,
                    "OB",
                    csa_header({"DiffusionGradientDirection": ["0.6", "0.0", "0.8"]}),
                )
            ],
            {},
        ),
    ],
)
def test_each_vendors_vector(elements, standard):
    assert read_gradient(header(*elements, **standard)) == pytest.approx((0.6, 0.0, 0.8))


def test_a_standard_b_matrix_gives_its_axis():
    values = dict(zip(("XX", "XY", "XZ", "YY", "YZ", "ZZ"), (0, 0, 0, 900, 0, 0), strict=True))
    matrix = item(**{f"DiffusionBValue{axes}": float(v) for axes, v in values.items()})
    assert read_gradient(header(DiffusionBMatrixSequence=[matrix])) == pytest.approx((0, 1, 0))


def test_sentinels_and_texts_are_no_direction():
    huge = [(PHILIPS_AXES, k, "FL", 1.7e38) for k in (0xB0, 0xB1, 0xB2)]
    assert read_gradient(header(*huge)) is None
    assert read_gradient(header(ImageComments="b=1500(a,b,c)")) is None
    assert read_gradient(header(ImageComments="SENSE1")) is None
    assert read_gradient(InstanceHeader(Dataset())) is None


def test_zeros_are_a_direction_of_no_length():
    assert read_gradient(header((SIEMENS, 0x27, "FD", [0.0] * 6))) == (0, 0, 0)
    assert read_gradient(header(DiffusionGradientOrientation=[0, 0, 0])) == (0, 0, 0)


@pytest.mark.parametrize("axis", [(0.6, 0.0, 0.8), (-0.48, 0.6, 0.64), (0.0, 0.0, -1.0)])
def test_the_axis_of_a_b_matrix_is_that_of_its_gradient(axis):
    g = np.array(axis)
    matrix = 1000.0 * np.outer(g, g)
    found = principal_direction(tuple(matrix[np.triu_indices(3)]))
    assert abs(float(np.dot(found, g))) == pytest.approx(1.0)
    assert max(found, key=abs) > 0
