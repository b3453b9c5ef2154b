"""T1-weighted series beside the diffusion: which are used, why the others are not."""

from types import SimpleNamespace

import numpy as np
import pydicom
import pytest

from dicom_objects.reading.diffusion import describe_study, read_study
from dicom_objects.reading.t1_weighting import fault_of_t1, is_candidate, read_parameters
from dicom_objects.scanner.flavours import Flavour
from dicom_objects.scanner.study import write_study
from tests.dicom_objects.conftest import make_acquisition
from tests.dicom_objects.scanner.test_t1 import t1_scan


@pytest.fixture
def written(tmp_path):
    """Writes the tiny study with T1, changes the T1 headers, and reads it."""

    def write(change=lambda _: None, flavour=Flavour.STANDARD, **placed):
        files = write_study(
            make_acquisition(2), tmp_path, distractors=False, flavour=flavour, t1=t1_scan(**placed)
        )
        for path in files:
            dataset = pydicom.dcmread(path)
            if dataset.get("SeriesDescription", "").startswith("t1_"):
                change(dataset)
                dataset.save_as(path)
        return files

    return write


def _t1_records(study):
    return [r for r in study if r.series_number in {11, 12}]


@pytest.mark.parametrize("flavour", list(Flavour))
def test_t1_is_read_in_every_flavour_and_says_so(flavour, written):
    study = read_study(written(flavour=flavour))
    assert [s.name for s in study.t1] == ["T1 station 1", "T1 station 2"]
    records = _t1_records(study.series)
    assert [(r.role, r.content, r.used, r.code) for r in records] == [("t1", "t1", True, None)] * 2
    scan = t1_scan()
    for station in study.t1:
        volume = station.volume
        k = round((volume.geometry.origin_mm[2] - scan.geometry.origin_mm[2]) / 3.0)
        truth = scan.image[k : k + volume.geometry.shape[0]]
        ratio = volume.images[0.0] / truth
        assert ratio.std() < 0.01 * ratio.mean()


def test_the_burden_sees_the_same_study_with_and_without_t1(written, tmp_path):
    with_t1 = read_study(written())
    plain = read_study(write_study(make_acquisition(2), tmp_path / "plain", distractors=False))
    assert plain.t1 == ()
    for a, b in zip(with_t1.stations, plain.stations, strict=True):
        for value in a.volume.images:
            assert np.array_equal(a.volume.images[value], b.volume.images[value])
    used = [r for r in with_t1.series if r.used and r.content != "t1"]
    assert [(r.series_number, r.reason) for r in used] == [
        (r.series_number, r.reason) for r in plain.series
    ]


def test_explain_says_the_same_without_pixels(written):
    series, verdict = describe_study(written())
    assert verdict is None
    assert [r.used for r in _t1_records(series)] == [True, True]


def _set(**values):
    def change(dataset):
        for keyword, value in values.items():
            setattr(dataset, keyword, value)

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_set(EchoTime=90.0, RepetitionTime=4000.0), "T1_UNSURE"),
        (_set(ContrastBolusAgent="Gadolinium"), "T1_CONTRAST_AGENT"),
        (_set(ScanOptions="FS"), "T1_FAT_SUPPRESSED"),
        (_set(ImageType=["ORIGINAL", "PRIMARY", "DIXON", "WATER"]), "T1_DIXON"),
        (_set(FrameOfReferenceUID="2.25.4711"), "T1_FRAME_OF_REFERENCE"),
        (_set(SeriesDescription="STIR cor"), "NO_DIFFUSION"),
        (_set(ScanningSequence="GR", SeriesDescription="localizer"), "NO_DIFFUSION"),
    ],
)
def test_what_is_no_plain_t1_of_this_body_is_left_out_with_its_code(change, code, written):
    study = read_study(written(change))
    assert study.t1 == ()
    assert [(r.used, r.code) for r in _t1_records(study.series)] == [(False, code)] * 2
    assert len(study.stations) == 2


def test_of_a_dixon_set_the_in_phase_images_are_used(written):
    def dixon(dataset):
        kind = {11: "IN_PHASE", 12: "FAT"}[dataset.SeriesNumber]
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "DIXON", kind]
        dataset.ScanningSequence, dataset.EchoTime, dataset.RepetitionTime = "GR", 2.4, 6.0

    records = _t1_records(read_study(written(dixon)).series)
    assert [r.code for r in records] == [None, "T1_DIXON"]
    assert records[0].used


def test_a_stack_of_a_part_is_no_body(written):
    study = read_study(written(shape=(8, 44, 44), origin_mm=(-45.0, -45.0, 30.0)))
    assert study.t1 == ()
    assert {r.code for r in _t1_records(study.series)} == {"T1_COVERAGE"}


def test_missing_t1_slices_are_told_and_the_study_is_measured(written):
    files = written()
    lost = next(f for f in files if "_t1_" in str(f) and f.name == "IM0005.dcm")
    study = read_study([f for f in files if f != lost])
    codes = [r.code for r in _t1_records(study.series)]
    assert codes == ["MISSING_SLICES", None]
    assert len(study.t1) == 1
    assert len(study.stations) == 2


def test_pixels_that_cannot_be_decoded_cost_the_list_only(written):
    files = written()
    for path in files:
        if "_t1_" in str(path):
            path.write_bytes(path.read_bytes()[:-200])
    study = read_study(files)
    assert study.t1 == ()
    assert {r.code for r in _t1_records(study.series)} == {"UNSUPPORTED_TS"}
    assert len(study.stations) == 2


def _frame(path, description="", echo_ms=9.0, image_type=("ORIGINAL", "PRIMARY", "M")):
    return SimpleNamespace(
        path=path, series_description=description, echo_time_ms=echo_ms, image_type=image_type
    )


def test_the_enhanced_form_keeps_its_times_in_functional_groups(tmp_path):
    timing, kind, modifier = (pydicom.Dataset() for _ in range(3))
    timing.RepetitionTime = 6.2
    kind.AcquisitionContrast = "T1"
    modifier.SpectrallySelectedSuppression = "FAT"
    shared = pydicom.Dataset()
    shared.MRTimingAndRelatedParametersSequence = [timing]
    shared.MRImageFrameTypeSequence = [kind]
    shared.MRModifierSequence = [modifier]
    whole = pydicom.Dataset()
    whole.EchoPulseSequence = "GRADIENT"
    whole.SharedFunctionalGroupsSequence = [shared]
    path = tmp_path / "enhanced.dcm"
    whole.save_as(path, implicit_vr=False, little_endian=True)
    frame = _frame(path, echo_ms=2.4)
    how = read_parameters(frame)
    assert (how.repetition_ms, how.scanning, how.contrast) == (6.2, ("GR",), "T1")
    assert how.times_fit
    assert is_candidate(frame, how)
    assert fault_of_t1(frame, how)[0] == "T1_FAT_SUPPRESSED"


def test_a_file_that_is_gone_makes_no_candidate(tmp_path):
    frame = _frame(tmp_path / "gone.dcm", "cor LAVA")
    assert not is_candidate(frame, read_parameters(frame))
