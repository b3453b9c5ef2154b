"""Questions to a real Orthanc, and studies that it gives by C-GET and by C-MOVE."""

import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest

from dicom_node.archive import Place, images_of, series_of, studies_of, study_of
from dicom_node.errors import RetrieveRefused
from dicom_node.fetching import Archive, Here, fetch_study
from dicom_node.query import Level, QueryLimits, find
from dicom_node.receive import Receiver, ReceiverSettings
from dicom_node.retrieve import Patience
from dicom_node.spool import Spool
from dicom_objects.scanner.study import Identity, write_study
from tests.acceptance.archive import ArchiveOrthanc

pytestmark = pytest.mark.acceptance

WHO = Identity(patient_name="Müller^Erika", patient_id="PRIOR-1", study_date="20250115")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory):
    pacs = ArchiveOrthanc(tmp_path_factory.mktemp("archive") / "orthanc")
    yield pacs
    pacs.stop()


@pytest.fixture(scope="module")
def images(archive: ArchiveOrthanc, coarse, tmp_path_factory: pytest.TempPathFactory):
    """Headers of a study that the archive holds, beside one of somebody else."""
    folder = tmp_path_factory.mktemp("held")
    paths = write_study(coarse, folder / "one", WHO, distractors=False)
    write_study(coarse, folder / "two", replace(WHO, patient_id="PRIOR-2"), distractors=False)
    archive.keep(folder)
    return [pydicom.dcmread(path, stop_before_pixels=True) for path in paths]


def test_studies_series_and_images_of_a_patient_are_found(archive, images):
    peer, uid = archive.peer(), str(images[0].StudyInstanceUID)
    (study,) = studies_of(peer, "PRIOR-1")
    assert (study.study_uid, study.date, study.modalities) == (uid, "20250115", ("MR",))
    assert (study.birth_date, study.sex, study.name) == ("19600101", "M", "Müller^Erika")
    assert study.n_instances == len(images)
    assert study_of(peer, uid) == study
    assert study_of(peer, "1.2.3") is None
    by_series = Counter(str(image.SeriesInstanceUID) for image in images)
    series = series_of(peer, Place(uid))
    assert {one.series_uid: one.n_instances for one in series} == by_series
    assert {one.modality for one in series} == {"MR"}
    held = images_of(peer, Place(uid, series[0].series_uid))
    assert len(held) == by_series[series[0].series_uid]
    assert {str(one.sop_class_uid) for one in held} == {str(images[0].SOPClassUID)}
    assert study.n_series == len(by_series)


def test_a_question_with_many_answers_is_cut_off(archive, images):
    keys = {
        "StudyInstanceUID": str(images[0].StudyInstanceUID),
        "SeriesInstanceUID": str(images[0].SeriesInstanceUID),
    }
    found = find(archive.peer(), Level.IMAGE, keys, ["SOPInstanceUID"], QueryLimits(answers=3))
    assert (len(found), found.complete) == (3, False)


@pytest.mark.parametrize("way", ["get", "move"])
def test_a_study_comes_whole_by_either_way(way, archive, images, tmp_path: Path):
    spool = Spool(tmp_path / "spool", floor_bytes=0)
    came = []

    def counts():
        return Counter(instance.series_uid for instance in came)

    def keep(header, data_set):
        came.append(spool.store(header, data_set).instance)

    receiver = Receiver(ReceiverSettings(port=0), spool, came.append)
    receiver.start()
    try:
        archive.knows("OSTEON", receiver.port)
        where = Archive(archive.peer(), way)
        uid = str(images[0].StudyInstanceUID)
        n = fetch_study(where, uid, Here(keep, counts), Patience(threading.Event()))
    finally:
        receiver.stop()
    assert n == len(images)
    expected = {str(image.SOPInstanceUID) for image in images}
    assert {instance.sop_instance_uid for instance in came} == expected
    for instance in came:
        kept = pydicom.dcmread(spool.root / instance.path)
        assert kept.PatientID == "PRIOR-1"
        assert len(kept.PixelData) == 2 * kept.Rows * kept.Columns


def test_a_study_that_is_gone_is_refused(archive):
    here = Here(lambda *_: None, dict)
    with pytest.raises(RetrieveRefused):
        fetch_study(Archive(archive.peer()), "1.2.3.4", here, Patience(threading.Event()))
