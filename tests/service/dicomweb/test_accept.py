import pytest

from service.dicomweb.accept import parse_accept


def first(text):
    return parse_accept(text)[0]


@pytest.mark.parametrize("text", ["", "*/*", "image/png;q=0, */*"])
def test_whoever_takes_anything_gets_objects_as_they_are_stored(text):
    one = first(text)
    assert (one.media_type, one.transfer_syntax) == ("*/*", "*")
    assert one.takes("application/dicom")
    assert not one.is_multipart


@pytest.mark.parametrize(
    "text",
    [
        'multipart/related; type="application/dicom"; transfer-syntax=*',
        "multipart/related;type=application/dicom;transfer-syntax=*",
        'Multipart/Related; TYPE="application/DICOM"; Transfer-Syntax="*"',
    ],
)
def test_parameters_are_read_with_quotes_and_without(text):
    one = first(text)
    assert one.is_multipart
    assert (one.part_type, one.transfer_syntax) == ("application/dicom", "*")
    assert one.takes("application/dicom")
    assert not one.takes("application/octet-stream")


def test_the_best_comes_first_and_what_is_not_wanted_never():
    ranges = parse_accept(
        'application/json;q=0.2, multipart/related; type="image/jls"; q=0.9, text/html;q=0'
    )
    assert [one.part_type for one in ranges] == ["image/jls", "application/json"]


def test_ranges_of_parts():
    one = first('multipart/related; type="image/*"')
    assert one.takes("image/jp2")
    assert not one.takes("application/octet-stream")
    assert first("multipart/related").takes("application/dicom")


@pytest.mark.parametrize("text", [";;;,,,", "a;q=x", '"', "\\", "multipart/related; type=" * 500])
def test_what_is_no_header_is_no_error(text):
    assert parse_accept(text)
