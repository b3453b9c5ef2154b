"""A client of others over a real socket: dicomweb-client asks, pydicom reads."""

from io import BytesIO
from urllib.parse import urlsplit

import numpy as np
import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient

from service.api.app import create_app
from tests.service.dicomweb.objects import FORMS, OTHER, STUDY, pixels
from tests.service.dicomweb.serving import served


@pytest.fixture
def web(holdings):
    with served(create_app(holdings.site)) as address:
        client = DICOMwebClient(f"{address}/dicom-web")
        client.host = urlsplit(address).netloc  # it leaves the port out of the Host header
        yield client


def raw(data_set):
    """Return the data set of a file that pydicom read, in its own encoding."""
    written = BytesIO()
    data_set.save_as(written, enforce_file_format=True)
    return written.getvalue()


def test_a_client_finds_studies_series_and_instances(web):
    studies = web.search_for_studies(search_filters={"PatientName": "m*"}, fields=["all"])
    assert [study["0020000D"]["Value"] for study in studies] == [[STUDY]]
    series = web.search_for_series(STUDY, search_filters={"Modality": "SEG"})
    assert [one["0020000E"]["Value"] for one in series] == [[f"{STUDY}.90"]]
    found = web.search_for_instances(STUDY, f"{STUDY}.1")
    assert len(found) == 2
    assert web.search_for_studies(search_filters={"PatientID": "nobody"}) == []
    assert len(web.search_for_instances(limit=3, offset=1)) == 3


def test_what_a_client_reads_is_what_is_stored(web, holdings):
    stored = tuple(dict.fromkeys(FORMS.values()))
    for one in web.retrieve_study(STUDY, media_types=(("application/dicom", "*"),)):
        path = holdings.files[one.SOPInstanceUID]
        assert one.file_meta.TransferSyntaxUID in (*stored, "1.2.840.10008.1.2.1")
        assert raw(one) == raw(pydicom.dcmread(path))
    assert len(web.retrieve_series(OTHER, f"{OTHER}.1")) == 1


def test_a_client_reads_headers_frames_and_bulk_data(web, holdings):
    uids = (STUDY, f"{STUDY}.91", f"{STUDY}.91.1")
    (header,) = web.retrieve_study_metadata(OTHER)
    assert header["00100010"]["Value"][0]["Ideographic"] == "山田^太郎"
    metadata = web.retrieve_instance_metadata(*uids)
    (pdf,) = web.retrieve_bulkdata(metadata["00420011"]["BulkDataURI"])
    assert pdf == pydicom.dcmread(holdings.files[uids[2]]).EncapsulatedDocument
    (frame,) = web.retrieve_instance_frames(STUDY, f"{STUDY}.2", f"{STUDY}.2.1", [1])
    assert (np.frombuffer(frame, "<u2") == pixels(1).ravel()).all()
