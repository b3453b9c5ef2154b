"""Earlier results as they lie in a folder or a store: found, proven, read back and compared."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from dicom_objects.reading.examination import Examination, PatientKeys
from imaging.follow_up import FollowUpSettings
from imaging.follow_up_registration import FollowUpRegistration
from imaging.lesion_following import FollowRule
from imaging.measured_study import StudyOrigin
from imaging.provenance import BurdenMethod, Provenance
from imaging.registration import RegistrationSettings
from jobs.result import ResultFile
from jobs.study import Instance
from report.content import ReportContent
from report.documents import measurements_json
from tests.imaging.labelled_body import measurement, study_images
from workers.comparison import History, follow_up
from workers.earlier import FolderResults, StoredResults, UnusableResults, record_of
from workers.earlier_numbers import study_of
from workers.time_points import UnreadableTimePoint, read_time_point, write_time_point

LUMBAR, PELVIS, FEMUR = (0, 40, 240), (-60, 10, 140), (60, 10, 60)
QUICK = FollowUpSettings(
    rule=FollowRule(
        FollowUpRegistration(
            RegistrationSettings((20.0, 16.0, 16.0), affine_iterations=10, demons_iterations=(2,))
        )
    )
)
PATIENT = PatientKeys("a" * 64, "b" * 64, "c" * 64)
NOW = Examination("1.2", "2026-04-01T10:00:00", "MAKER", "ab" * 8, PATIENT)
NOW_AT = datetime(2026, 1, 1, tzinfo=UTC)
FILES = (("measurements", "measurements.json"), ("time_point", "time_point.npz"))
TOLD = ("seed", lambda _: None)


def write_results(folder, lesions, uid="1.1", taken_at="2026-01-01T10:00:00"):
    """What a run leaves of a body of boxes."""
    folder.mkdir(parents=True, exist_ok=True)
    images = study_images(lesions)
    measured = measurement(images)
    known = [replace(k, tracking_uid=f"2.25.{k.label}") for k in measured.lesions]
    burden = BurdenMethod("rule", None, 1.5, "normalised_signal")
    made = Provenance("1", "c", (), "d", "2.25.1", "run", "2026-01-01", "2026-01-01", burden)
    content = ReportContent(
        uid, replace(measured, lesions=tuple(known)), made, (50.0, 900.0), "fit", (5.0, 4.0, 4.0),
        origin=StudyOrigin(uid, "", taken_at, "MAKER", "ab" * 8),
    )  # fmt: skip
    (folder / "measurements.json").write_text(measurements_json(content), encoding="utf-8")
    write_time_point(images, folder / "time_point.npz")
    return folder


@pytest.fixture
def now_measured():
    images = study_images([(LUMBAR, 10), (FEMUR, 9)])
    return measurement(images), images


def test_arrays_come_back_as_they_were_written(tmp_path):
    images = study_images([(LUMBAR, 16)])
    write_time_point(images, tmp_path / "a.npz")
    found = read_time_point(tmp_path / "a.npz")
    assert found.geometry.matches(images.geometry)
    assert np.array_equal(found.labels, images.labels)
    assert np.array_equal(found.lesion_labels, images.lesion_labels)
    assert np.array_equal(np.isnan(found.adc_um2_s), np.isnan(images.adc_um2_s))
    assert np.nanmax(np.abs(found.adc_um2_s - images.adc_um2_s)) <= 0.5
    assert np.abs(found.signal - images.signal).max() <= 0.0005
    assert found.signal_unit == "cord"
    write_time_point(images, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("damage", ["gone", "cut", "text", "pickle"])
def test_damaged_arrays_are_said_to_be_so(tmp_path, damage):
    path = tmp_path / "time_point.npz"
    if damage == "cut":
        write_time_point(study_images([]), path)
        path.write_bytes(path.read_bytes()[:3000])
    if damage == "text":
        path.write_text("no arrays")
    if damage == "pickle":
        np.savez(path, form=np.array([{"a": 1}], dtype=object))
    with pytest.raises(UnreadableTimePoint, match=r"time_point\.npz"):
        read_time_point(path)


def test_a_folders_study_is_compared_and_its_lesions_keep_their_uids(tmp_path, now_measured):
    earlier = FolderResults.of([write_results(tmp_path / "one", [(LUMBAR, 16), (PELVIS, 12)])])
    found = follow_up(History(NOW, earlier), *now_measured, QUICK, TOLD)
    known = {k.region: (k.name, k.tracking_uid) for k in found.measurement.lesions}
    assert known["lumbar_spine"] == ("L01", "2.25.1")
    assert known["femur_left"][0] == "L03"
    headline = found.comparison.headline
    assert {(t.state, t.tracking_uid) for t in headline.tracks if t.state != "new"} == {
        ("persistent", "2.25.1"),
        ("resolved", "2.25.2"),
    }
    assert headline.tdv.call == "down"
    assert headline.same_scanner
    assert len(found.digests) == 1
    assert found.prior_images is not None
    assert found.changes()[0].startswith("Against the study of 2026-01-01 (previous, baseline")


def test_without_history_nothing_is_compared(now_measured):
    found = follow_up(None, *now_measured, QUICK, TOLD)
    assert found.comparison is None
    assert found.measurement is now_measured[0]


@pytest.mark.parametrize(
    "named", [{"taken_at": "2026-05-01T10:00:00"}, {"uid": "1.2"}], ids=["later", "itself"]
)
def test_a_folder_that_is_not_earlier_is_not_compared(tmp_path, now_measured, named):
    folder = write_results(tmp_path / "other", [(LUMBAR, 16)], **named)
    found = follow_up(History(NOW, FolderResults.of([folder])), *now_measured, QUICK, TOLD)
    assert found.comparison.against == ()
    assert [note.code for note in found.notes] == ["FOLLOW_UP_NOT_EARLIER"]


def test_who_names_a_folder_without_a_date_is_believed(tmp_path, now_measured):
    folder = write_results(tmp_path / "undated", [(LUMBAR, 16)], taken_at="")
    found = follow_up(History(NOW, FolderResults.of([folder])), *now_measured, QUICK, TOLD)
    assert found.comparison.headline.interval_days is None
    assert found.comparison.headline.tdv.call == "down"


def test_in_the_store_nobody_knows_what_came_first_without_a_date(stored, now_measured):
    history = replace(stored.history(), examination=replace(NOW, taken_at=""))
    found = follow_up(history, *now_measured, QUICK, TOLD)
    assert [note.code for note in found.notes] == ["FOLLOW_UP_NO_DATE"]
    assert found.comparison.against == ()


def test_a_folder_without_arrays_is_compared_by_region(tmp_path, now_measured):
    folder = write_results(tmp_path / "old", [(LUMBAR, 16)])
    (folder / "time_point.npz").unlink()
    found = follow_up(History(NOW, FolderResults.of([folder])), *now_measured, QUICK, TOLD)
    assert {n.code for n in found.notes} >= {"FOLLOW_UP_ARRAYS_GONE", "FOLLOW_UP_NO_IMAGES"}
    assert found.comparison.headline.tdv.call == "down"


def test_a_folder_that_is_no_result_is_refused(tmp_path):
    with pytest.raises(UnusableResults, match="empty"):
        FolderResults.of([tmp_path / "empty"])


def test_numbers_of_a_later_version_are_refused():
    with pytest.raises(ValueError, match=r"version 3\.0"):
        study_of({"schema_version": "3.0"})


class Stored:
    """A store with delivered results of a patient."""

    def __init__(self, store, results_dir):
        self.store, self.results_dir = store, results_dir

    def deliver(self, uid, examination, lesions, taken_at):
        now = Instance(f"{uid}.1", uid, f"{uid}.2", "1", "1", "a" * 64, 1, "p", NOW_AT)
        self.store.record_instances([now])
        self.store.open_revision(uid, uid.ljust(64, "0"))
        job = self.store.claim("w", 30)
        self.store.keep_examination(job, record_of(examination))
        folder = write_results(self.results_dir / uid, lesions, uid, taken_at)
        files = [
            ResultFile(
                kind, name, "x/y", f"{uid}/{name}",
                hashlib.sha256((folder / name).read_bytes()).hexdigest(),
            )
            for kind, name in FILES
        ]  # fmt: skip
        self.store.keep_results(job, files)
        self.store.deliver(job)

    def history(self):
        return History(NOW, StoredResults(self.store, self.results_dir))


@pytest.fixture
def stored(store, configuration):
    found = Stored(store, configuration.results_dir)
    first = replace(NOW, study_uid="1.1", taken_at="2026-01-01T10:00:00")
    found.deliver("1.1", first, [(LUMBAR, 16), (PELVIS, 12)], first.taken_at)
    return found


def test_the_store_gives_the_patients_earlier_study(stored, now_measured):
    found = follow_up(stored.history(), *now_measured, QUICK, TOLD)
    assert [p.study_uid for p in found.comparison.trend] == ["1.1", "1.2"]
    assert found.comparison.headline.lesions.persistent == 1
    assert found.notes == ()


@pytest.mark.parametrize("name", ["measurements.json", "time_point.npz"])
def test_changed_files_are_not_used_and_it_is_said(stored, now_measured, name):
    path = stored.results_dir / "1.1" / name
    path.write_bytes(path.read_bytes() + b" ")
    found = follow_up(stored.history(), *now_measured, QUICK, TOLD)
    codes = {note.code for note in found.notes}
    if name == "measurements.json":
        assert codes == {"FOLLOW_UP_FILES_GONE"}
        assert found.comparison.against == ()
    else:
        assert codes == {"FOLLOW_UP_ARRAYS_GONE", "FOLLOW_UP_NO_IMAGES"}


def test_one_id_of_two_persons_is_not_compared(stored, now_measured):
    other = replace(NOW, patient=replace(PATIENT, birth_date="f" * 64))
    history = replace(stored.history(), examination=other)
    found = follow_up(history, *now_measured, QUICK, TOLD)
    assert [note.code for note in found.notes] == ["FOLLOW_UP_IDENTITY"]
    assert found.comparison.against == ()


def test_another_patient_has_no_prior(stored, now_measured):
    other = replace(NOW, patient=replace(PATIENT, patient="f" * 64))
    found = follow_up(replace(stored.history(), examination=other), *now_measured, QUICK, TOLD)
    assert found.comparison.against == ()
