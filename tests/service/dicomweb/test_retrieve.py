import json
from email.message import Message
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from tests.service.dicomweb.objects import (
    FORMS,
    OTHER,
    STUDY,
    bits,
    fragment,
    image,
    pixels,
)

AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
EXPLICIT = 'multipart/related; type="application/dicom"'
ANY_FRAMES = "multipart/related; type=application/octet-stream; transfer-syntax=*"


def get(client, address, accept):
    return client.get(f"/dicom-web/{address}", headers={"Accept": accept})


def parts(answer):
    """Read a multipart answer strictly: (headers, body) of each part."""
    assert answer.status_code == 200, answer.text
    head = Message()
    head["Content-Type"] = answer.headers["content-type"]
    assert head.get_content_type() == "multipart/related"
    boundary = f"--{head.get_param('boundary')}".encode()
    *found, end = answer.content.split(boundary)
    assert end == b"--\r\n"
    assert found[0] == b""
    told = []
    for part in found[1:]:
        headers, _, body = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        assert body.endswith(b"\r\n")
        lines = dict(line.split(": ", 1) for line in headers.decode().split("\r\n"))
        told.append((lines, body[:-2]))
    return told


def address(uid):
    series, study = uid.rsplit(".", 1)[0], uid.rsplit(".", 2)[0]
    return f"studies/{study}/series/{series}/instances/{uid}"


@pytest.mark.parametrize("uid", [*FORMS, f"{STUDY}.90.1", f"{STUDY}.91.1", f"{OTHER}.1.1"])
def test_every_object_is_given_as_it_is_stored_byte_for_byte(client, holdings, uid):
    ((headers, body),) = parts(get(client, address(uid), AS_STORED))
    assert body == holdings.files[uid].read_bytes()
    syntax = FORMS.get(uid, ExplicitVRLittleEndian)
    assert headers["Content-Type"] == f"application/dicom; transfer-syntax={syntax}"
    assert headers["Content-Location"] == f"http://localhost/dicom-web/{address(uid)}"
    alone = get(client, address(uid), "application/dicom; transfer-syntax=*")
    assert alone.content == body


def test_studies_and_series_are_given_whole(client, holdings):
    found = parts(get(client, f"studies/{STUDY}", AS_STORED))
    names = [headers["Content-Location"].rpartition("/")[2] for headers, _ in found]
    assert sorted(names) == sorted(uid for uid in holdings.files if uid.startswith(f"{STUDY}."))
    for name, (_, body) in zip(names, found, strict=True):
        assert body == holdings.files[name].read_bytes()
    assert len(parts(get(client, f"studies/{STUDY}/series/{STUDY}.1", AS_STORED))) == 2
    assert len(parts(client.get(f"/dicom-web/studies/{STUDY}"))) == 8


@pytest.mark.parametrize("number", [2, 3])
def test_other_encodings_become_explicit_vr_little_endian(client, number):
    ((headers, body),) = parts(get(client, address(f"{STUDY}.{number}.1"), EXPLICIT))
    assert headers["Content-Type"] == "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"
    read = pydicom.dcmread(BytesIO(body))
    assert read.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert (read.pixel_array == pixels(1)).all()
    assert read.PatientName == "Müller^Jürgen"
    assert read.Rows == 6
    description = "ADC" if number == 2 else "b900"
    expected = image(f"{STUDY}.{number}", 1, SeriesDescription=description)
    got = {e.tag: e.value for e in read if e.tag != (0x7FE0, 0x10)}
    assert got == {e.tag: e.value for e in expected if e.tag != (0x7FE0, 0x10)}


def test_compressed_objects_are_given_as_stored_or_not_at_all(client):
    compressed = address(f"{STUDY}.4.1")
    answer = get(client, compressed, EXPLICIT)
    assert (answer.status_code, answer.json()["code"]) == (406, "NOT_ACCEPTABLE")
    assert "transfer-syntax=*" in answer.json()["detail"]
    assert get(client, f"studies/{STUDY}", EXPLICIT).status_code == 406
    named = f"{EXPLICIT}; transfer-syntax=1.2.840.10008.1.2.4.80"
    assert get(client, compressed, named).status_code == 200
    both = f"{EXPLICIT}, {AS_STORED}; q=0.5"
    assert get(client, compressed, both).status_code == 200
    assert get(client, compressed, "image/jpeg").status_code == 406
    assert get(client, f"studies/{STUDY}", "application/dicom").status_code == 406


def test_what_is_not_held_is_not_found(client, holdings):
    for missing in ("studies/9.9", f"studies/{STUDY}/series/9.9", address(f"{STUDY}.1.9")):
        for more in ("", "/metadata"):
            answer = client.get(f"/dicom-web/{missing}{more}")
            assert (answer.status_code, answer.json()["code"]) == (404, "NOT_HELD")
    wrong_study = f"studies/{OTHER}/series/{STUDY}.1/instances/{STUDY}.1.1"
    assert client.get(f"/dicom-web/{wrong_study}").status_code == 404
    holdings.files[f"{STUDY}.1.1"].unlink()
    assert client.get(f"/dicom-web/{address(f'{STUDY}.1.1')}").status_code == 404


def test_a_file_outside_the_spool_is_not_given(client, holdings, tmp_path):
    path = holdings.files[f"{STUDY}.1.1"]
    secret = tmp_path / "secret"
    secret.write_bytes(b"not for you")
    path.unlink()
    path.symlink_to(secret)
    assert client.get(f"/dicom-web/{address(f'{STUDY}.1.1')}").status_code == 404


def test_metadata_is_the_header_with_large_values_by_address(client, holdings):
    (told,) = client.get(f"/dicom-web/{address(f'{STUDY}.91.1')}/metadata").json()
    read = pydicom.dcmread(holdings.files[f"{STUDY}.91.1"])
    assert told["00100010"]["Value"] == [{"Alphabetic": "Müller^Jürgen"}]
    assert told["00080005"]["Value"] == ["ISO_IR 192"]
    uri = told["00420011"]["BulkDataURI"]
    assert uri == f"http://localhost/dicom-web/{address(f'{STUDY}.91.1')}/bulkdata/00420011"
    ((_, body),) = parts(client.get(uri))
    assert body.rstrip(b"\0") == read.EncapsulatedDocument.rstrip(b"\0")
    inner = told["00420013"]["Value"][0]["00420011"]["BulkDataURI"]
    assert inner.endswith("/bulkdata/00420013/1/00420011")
    assert client.get(inner, headers={"Accept": "application/octet-stream"}).content == bytes(2000)
    again = pydicom.Dataset.from_json(
        json.dumps(told), bulk_data_uri_handler=lambda _tag, _vr, value: client.get(value).content
    )
    assert again.PatientID == "PAT-1"
    assert again.SOPInstanceUID == f"{STUDY}.91.1"


def test_metadata_of_series_and_studies(client):
    told = client.get(f"/dicom-web/studies/{STUDY}/series/{STUDY}.1/metadata").json()
    assert [one["00200013"]["Value"] for one in told] == [[1], [2]]
    assert told[0]["7FE00010"]["BulkDataURI"].endswith("/bulkdata/7FE00010")
    whole = client.get(f"/dicom-web/studies/{STUDY}/metadata")
    assert whole.headers["content-type"] == "application/dicom+json"
    assert len(whole.json()) == 8


@pytest.mark.parametrize("number", [1, 2, 3])
def test_frames_are_given_uncompressed_in_little_endian(client, number):
    for accept in (ANY_FRAMES, 'multipart/related; type="application/octet-stream"'):
        found = get(client, f"{address(f'{STUDY}.{number}.1')}/frames/1", accept)
        ((headers, body),) = parts(found)
        assert body == pixels(1).astype("<u2").tobytes()
        assert headers["Content-Type"].startswith("application/octet-stream; transfer-syntax=")
    alone = get(client, f"{address(f'{STUDY}.{number}.1')}/frames/1", "application/octet-stream")
    assert alone.content == pixels(1).astype("<u2").tobytes()
    uri = f"{address(f'{STUDY}.{number}.1')}/bulkdata/7FE00010"
    ((_, body),) = parts(get(client, uri, ANY_FRAMES))
    assert body == pixels(1).astype("<u2").tobytes()


def test_frames_of_single_bits_begin_at_a_byte(client):
    found = parts(get(client, f"{address(f'{STUDY}.90.1')}/frames/1,2,3", ANY_FRAMES))
    for (_, body), expected in zip(found, bits(3), strict=True):
        got = np.unpackbits(np.frombuffer(body, np.uint8), bitorder="little")[:35]
        assert (got == expected).all()
        assert len(body) == 5
    assert found[1][0]["Content-Location"].endswith("/frames/2")
    explicit = "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
    assert found[1][0]["Content-Type"] == explicit


def test_compressed_frames_are_given_as_stored(client):
    frames = f"{address(f'{STUDY}.4.1')}/frames"
    found = parts(get(client, f"{frames}/3,1", ANY_FRAMES))
    assert [body.rstrip(b"\0") for _, body in found] == [fragment(3), fragment(1)]
    stored = "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.80"
    assert found[0][0]["Content-Type"] == stored
    image_type = parts(get(client, f"{frames}/2", 'multipart/related; type="image/jls"'))
    assert image_type[0][0]["Content-Type"] == "image/jls; transfer-syntax=1.2.840.10008.1.2.4.80"
    assert get(client, f"{frames}/1", "application/octet-stream").status_code == 406
    assert get(client, f"{frames}/1", 'multipart/related; type="image/jp2"').status_code == 406
    pixel_data = f"{address(f'{STUDY}.4.1')}/bulkdata/7FE00010"
    assert len(parts(get(client, pixel_data, ANY_FRAMES))) == 3


def test_frames_that_are_not_there(client):
    frames = f"/dicom-web/{address(f'{STUDY}.1.1')}/frames"
    assert client.get(f"{frames}/2").json()["code"] == "NOT_HELD"
    for wrong in ("0", "-1", "1,,2", "all", "1,2,"):
        assert client.get(f"{frames}/{wrong}").status_code == 400
    pdf = f"/dicom-web/{address(f'{STUDY}.91.1')}"
    assert client.get(f"{pdf}/frames/1").status_code == 404
    for missing in ("00091010", "00420013/2/00420011", "00420013/1/00100010", "00100010"):
        assert client.get(f"{pdf}/bulkdata/{missing}").status_code == 404
    for wrong in ("PatientName", "00420013/0/00420011", "00420013/1"):
        assert client.get(f"{pdf}/bulkdata/{wrong}").status_code == 400


def test_nothing_can_be_stored_or_removed(client):
    for method in ("POST", "PUT", "DELETE"):
        answer = client.request(method, f"/dicom-web/studies/{STUDY}")
        assert answer.status_code == 405
