"""The report's objects through a real PACS: stored, the same bytes, and shown by it."""

import io
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from PIL import Image

from dicom_node.destination import CStoreDestination
from dicom_node.send import Peer
from dicom_objects.reading.diffusion import read_study
from dicom_objects.scanner.study import write_study
from dicom_objects.writing.report_objects import ReportParts, encode_report_objects
from dicom_objects.writing.results import encode_results
from tests.acceptance.evidence import data_set
from tests.dicom_objects.conftest import make_acquisition, make_content

pytestmark = pytest.mark.acceptance
PDF = b"%PDF-1.7\n%%EOF\n"


@pytest.fixture(scope="module")
def parts():
    dice = np.random.default_rng(1)
    return ReportParts(
        pdf=PDF,
        pages=(dice.integers(0, 256, (40, 30, 3), np.uint8),),
        mip=dice.integers(0, 256, (6, 40, 30), np.uint8),
        overlay=dice.integers(0, 256, (6, 40, 30, 3), np.uint8),
    )


@pytest.fixture(scope="module")
def written(parts, tmp_path_factory):
    files = write_study(make_acquisition(2), tmp_path_factory.mktemp("study"), distractors=False)
    content, folder = make_content(read_study(files)), tmp_path_factory.mktemp("out")
    report = encode_report_objects(parts, content.study, content.provenance, "seed", folder)
    return (*encode_results(content, folder), *report)


def test_orthanc_keeps_every_byte_and_shows_what_was_sent(orthanc, parts, written):
    place = CStoreDestination("orthanc", Peer("ORTHANC", "127.0.0.1", orthanc.dicom_port))
    outcomes = place.deliver([SimpleNamespace(kind=one.kind, path=one.path) for one in written])
    assert all(outcome.ok for outcome in outcomes), outcomes
    assert outcomes[-1].path.name == "sr.dcm"  # the report for machines, when all else is there
    there = {i["MainDicomTags"]["SOPInstanceUID"]: i["ID"] for i in orthanc.instances()}
    assert set(there) == {one.sop_instance_uid for one in written}
    at = {}
    for one in written:
        received = orthanc.file(there[one.sop_instance_uid])
        assert data_set(received) == data_set(one.path.read_bytes())
        at[one.kind] = there[one.sop_instance_uid]
    assert orthanc._ask(f"/instances/{at['pdf']}/pdf")[: len(PDF)] == PDF
    for kind, frame, sent in (
        ("sc", "0/preview", parts.pages[0]),
        ("mip_series", "4/image-uint8", parts.mip[4]),
        ("mip_overlay", "4/preview", parts.overlay[4]),
    ):
        shown = orthanc._ask(f"/instances/{at[kind]}/frames/{frame}")
        with Image.open(io.BytesIO(shown)) as picture:
            assert np.array_equal(np.asarray(picture), sent), kind


def test_all_are_of_one_patient_and_study(written):
    headers = [pydicom.dcmread(one.path, stop_before_pixels=True) for one in written]
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate"):
        assert len({str(header[keyword].value) for header in headers}) == 1
    numbers = {header.SeriesInstanceUID: int(header.SeriesNumber) for header in headers}
    assert len(set(numbers.values())) == len(numbers)
