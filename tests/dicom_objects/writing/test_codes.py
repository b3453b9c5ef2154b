"""Codes agree with pydicom's dictionary of PS3.16 wherever it has them."""

from pydicom.sr._concepts_dict import concepts
from pydicom.sr.coding import Code

from dicom_objects.writing import codes
from imaging.anatomy import STRUCTURES

NOT_IN_PS3_16 = {
    ("SCT", "113192009"),  # no DICOM context group holds it; CID 7151 is extensible
    ("99IHE", "Newcode1"),  # of IHE AI Results, until DICOM gives it a code
}


def every_code():
    found = [value for value in vars(codes).values() if isinstance(value, Code)]
    found += [row.kind for row in codes.STRUCTURE_CODES.values()]
    return [*found, *codes.PERCENTILES.values()]


def test_standard_codes_are_in_the_standard():
    known = {
        (scheme, value)
        for scheme, rows in concepts.items()
        for row in rows.values()
        for value in row
    }
    standard = [c for c in every_code() if c.scheme_designator != codes.PRIVATE_SCHEME]
    missing = {(c.scheme_designator, c.value) for c in standard} - known
    assert missing == NOT_IN_PS3_16


def test_private_codes_are_unique_and_fit_their_attributes():
    private = [c for c in every_code() if c.scheme_designator == codes.PRIVATE_SCHEME]
    assert len({c.value for c in private}) == len(private)
    for code in every_code():
        assert len(code.value) <= 16, code  # VR SH
        assert len(code.scheme_designator) <= 16
        assert len(code.meaning) <= 64, code  # VR LO


def test_every_structure_has_a_code_and_sides_differ():
    assert set(codes.STRUCTURE_CODES) == {s.name for s in STRUCTURES[1:]}
    written = {(row.kind.value, row.laterality) for row in codes.STRUCTURE_CODES.values()}
    assert len(written) == len(STRUCTURES) - 1
    assert codes.STRUCTURE_CODES["kidney_left"].laterality == codes.LEFT
    assert codes.STRUCTURE_CODES["femur_right"].laterality == codes.RIGHT
    assert codes.STRUCTURE_CODES["spinal_canal"].kind.value != "2748008"  # that is the cord
