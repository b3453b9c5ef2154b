"""The archive of a run's results, unpacked and opened by the programs that people open it with."""

import csv
import hashlib
import io
import json
import tracemalloc
import zipfile

import pydicom
import pypdf
import pytest
import SimpleITK as sitk  # noqa: N813

from jobs.result import ResultFile
from service.api.app import create_app
from service.api.archive import ResultDamaged, archive_name, packed
from tests.service.measured import deliver, made_results
from tests.service.sites import site_of
from tests.service.web import TestClient


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_results(tmp_path_factory.mktemp("run"))


@pytest.fixture
def kept(store, open_job, tmp_path, made):
    job = open_job()
    return job, deliver(store, job, tmp_path / "results", made)


@pytest.fixture
def client(store, tmp_path):
    with TestClient(create_app(site_of(store, tmp_path))) as opened:
        yield opened


def archive_of(answer):
    return zipfile.ZipFile(io.BytesIO(answer.content))


def test_all_of_it_opens(client, kept, tmp_path):
    job, files = kept
    answer = client.get(f"/api/v1/jobs/{job.id}/results.zip")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    name = archive_name(job)
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}.zip"'
    archive = archive_of(answer)
    assert archive.testzip() is None
    archive.extractall(tmp_path / "unpacked")
    root = tmp_path / "unpacked" / name
    assert {path.name for path in root.iterdir()} == {"dicom", "report", "volumes"}
    objects = [pydicom.dcmread(path) for path in (root / "dicom").iterdir()]
    sent = {file.sop_instance_uid for file in files if file.sop_instance_uid}
    assert {str(one.SOPInstanceUID) for one in objects} == sent
    for path in (root / "volumes").glob("*.nii.gz"):
        assert min(sitk.ReadImage(str(path)).GetSize()) > 1
    with (root / "report" / "lesions.csv").open(encoding="utf-8") as file:
        assert {row["level"] for row in csv.DictReader(file)} >= {"total", "lesion"}
    document = json.loads((root / "report" / "measurements.json").read_text(encoding="utf-8"))
    assert document["research_use_only"] is True
    page = pypdf.PdfReader(root / "report" / "report.pdf").pages[0].extract_text()
    assert "RESEARCH USE ONLY" in page


def test_every_file_is_there_once_with_its_bytes(client, kept):
    job, files = kept
    archive = archive_of(client.get(f"/api/v1/jobs/{job.id}/results.zip"))
    packed_files = {
        entry.filename.rsplit("/", 1)[1]: hashlib.sha256(archive.read(entry)).hexdigest()
        for entry in archive.infolist()
    }
    expected = {f.name: f.sha256 for f in files if f.kind != "time_point"}
    assert len(archive.infolist()) == len(expected)
    assert packed_files == expected


@pytest.mark.parametrize("part", ["dicom", "volumes", "report"])
def test_a_part_can_be_asked_for(client, kept, part):
    job, _ = kept
    archive = archive_of(client.get(f"/api/v1/jobs/{job.id}/results.zip?part={part}"))
    assert {entry.split("/")[1] for entry in archive.namelist()} == {part}
    both = archive_of(client.get(f"/api/v1/jobs/{job.id}/results.zip?part={part}&part=dicom"))
    assert {entry.split("/")[1] for entry in both.namelist()} == {part, "dicom"}


def test_the_same_results_give_the_same_archive(client, kept):
    job, _ = kept
    first = client.get(f"/api/v1/jobs/{job.id}/results.zip").content
    assert client.get(f"/api/v1/jobs/{job.id}/results.zip").content == first


def test_no_patient_is_in_a_name(client, kept):
    job, _ = kept
    header = client.get(f"/api/v1/jobs/{job.id}/results.zip").headers["content-disposition"]
    assert job.study_uid not in header


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [("", 404, "NO_SUCH_RESULT"), ("?part=patients", 422, "NOT_VALID")],
)
def test_what_cannot_be_packed_is_said_before_anything_is_sent(
    client, open_job, query, status, code
):
    answer = client.get(f"/api/v1/jobs/{open_job().id}/results.zip{query}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_job_that_is_not_there_has_no_archive(client):
    answer = client.get(f"/api/v1/jobs/{'0' * 32}/results.zip")
    assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_JOB")


def test_a_file_that_is_gone_is_said_before_anything_is_sent(client, kept, tmp_path):
    job, files = kept
    (tmp_path / "results" / files[0].path).unlink()
    answer = client.get(f"/api/v1/jobs/{job.id}/results.zip")
    assert (answer.status_code, answer.json()["code"]) == (404, "NO_SUCH_RESULT")


def test_a_file_that_was_changed_ends_the_archive_before_its_end(kept, tmp_path, caplog):
    job, files = kept
    path = tmp_path / "results" / files[0].path
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ResultDamaged):
        list(packed(job, [(files[0], path)]))
    assert caplog.records[-1].code == "RESULT_DAMAGED"


def test_packing_holds_a_piece_and_not_the_file(kept, tmp_path):
    job, _ = kept
    path = tmp_path / "large"
    content = bytes(40_000_000)
    path.write_bytes(content)
    large = ResultFile("adc", "adc_1.dcm", "application/dicom", "large",
                       hashlib.sha256(content).hexdigest(), "1", "2", "3")  # fmt: skip
    tracemalloc.start()
    total = sum(len(piece) for piece in packed(job, [(large, path)]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total > len(content)
    assert peak < 4_000_000


MEDIA_TYPES = {
    "high_b.nii.gz": "application/gzip",
    "volumes.json": "application/json",
    "measurements.json": "application/json",
    "lesions.csv": "text/csv; charset=utf-8",
    "report.pdf": "application/pdf",
    "sr.dcm": "application/dicom",
    "seg_1.dcm": "application/dicom",
    "mip_coronal.png": "image/png",
}


@pytest.mark.parametrize("name", MEDIA_TYPES)
def test_a_single_file_has_its_media_type_and_its_bytes(client, kept, name):
    job, files = kept
    answer = client.get(f"/api/v1/jobs/{job.id}/results/{name}")
    assert answer.headers["content-type"] == MEDIA_TYPES[name]
    assert f'filename="{name}"' in answer.headers["content-disposition"]
    [listed] = [file for file in files if file.name == name]
    assert hashlib.sha256(answer.content).hexdigest() == listed.sha256
    # A volume must come as the file that it is: no layer of HTTP may unpack it.
    assert "content-encoding" not in answer.headers
