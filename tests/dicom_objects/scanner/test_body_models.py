"""One seed is another patient in every body model, and all series of a study are of the same."""

from __future__ import annotations

import pydicom
import pytest

from dicom_objects.scanner.study import write_study
from phantom.acquisition import Protocol, acquire
from phantom.distractors import localizer
from phantom.patient import BodyModelName, PatientOptions, make_patient

COARSE = Protocol(slice_mm=20.0, in_plane_mm=8.0, matrix=(44, 60))


@pytest.mark.parametrize(
    ("body_model", "patient_id"),
    [("beaded", "OSTEON-PHANTOM-2"), ("contoured", "OSTEON-PHANTOM-CONTOURED-2")],
)
def test_a_study_is_of_one_patient(tmp_path, body_model, patient_id):
    person = make_patient(2, PatientOptions(body_model=BodyModelName(body_model)))
    files = write_study(acquire(person, COARSE), tmp_path)
    objects = [pydicom.dcmread(f) for f in files]
    assert {o.PatientID for o in objects} == {patient_id}
    scouts = [o for o in objects if o.SeriesDescription == "localizer"]
    image, _ = localizer(person)
    scouts.sort(key=lambda o: o.ImagePositionPatient[2])
    for scout, drawn in zip(scouts, image, strict=True):
        stored = scout.pixel_array / scout.pixel_array.max()
        assert stored == pytest.approx(drawn / drawn.max(), abs=1e-3)
