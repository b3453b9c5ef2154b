import json

import numpy as np
import pydicom
import pytest

from dicom_objects.reading.identity import study_identity
from dicom_objects.reading.segmentation import (
    UnreadableSegmentation,
    is_segmentation,
    read_segmentation,
)
from imaging.anatomy import BY_NAME
from imaging.nifti import write_image
from imaging.resampling import resample
from imaging.stations import cut_station
from tests.dicom_objects.writing.tools import run, tool


@pytest.fixture(scope="module")
def segmentations(results):
    return [r.path for r in results if r.kind == "seg"]


def test_our_own_objects_come_back_as_they_were_written(segmentations, content):
    for path, placement in zip(segmentations, content.assembly.placements, strict=True):
        labels = cut_station(content.labels, placement)
        (station,) = [s for s in content.study.stations if s.name == placement.station]
        structures = [s for s in read_segmentation(path) if s.structure != "disease"]
        assert {s.structure for s in structures} == set(BY_NAME) - {"background"}
        for segment in structures:
            on_station = resample(segment.mask, segment.geometry, station.volume.geometry, order=0)
            expected = labels == BY_NAME[segment.structure].label
            assert np.array_equal(on_station > 0.5, expected), segment.structure
            assert segment.geometry.frame_of_reference_uid


def test_lesions_are_disease_wherever_they_lie(segmentations):
    lesions = [s for p in segmentations for s in read_segmentation(p) if s.structure == "disease"]
    # The second lesion crosses two stations.
    assert sorted(s.label for s in lesions) == [f"Bone lesion {n}" for n in (1, 2, 2, 3)]


def edited(path, out, change):
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(out)
    return out


def test_a_code_without_a_side_says_less_and_a_foreign_code_nothing(segmentations, tmp_path):
    def change(dataset):
        for item in dataset.SegmentSequence:
            kind = item.SegmentedPropertyTypeCodeSequence[0]
            if item.SegmentLabel == "Liver":
                kind.CodeValue, kind.CodeMeaning = "4711", "Something else"
            elif item.SegmentLabel in ("Left femur", "Ribs"):
                del item.SegmentedPropertyTypeModifierCodeSequence

    found = {
        s.label: s for s in read_segmentation(edited(segmentations[0], tmp_path / "a", change))
    }
    assert (found["Liver"].code, found["Liver"].structure) == ("SCT:4711", "")
    assert (found["Left femur"].side, found["Left femur"].structure) == ("", "")
    assert (found["Right femur"].side, found["Right femur"].structure) == ("right", "femur_right")
    assert found["Ribs"].structure == "ribs"


def test_only_segmentations_are_taken_for_one(segmentations, study_files, tmp_path):
    (tmp_path / "notes.txt").write_text("no DICOM")
    assert all(is_segmentation(path) for path in segmentations)
    assert not is_segmentation(study_files[0])
    assert not is_segmentation(tmp_path / "notes.txt")


def test_what_is_no_segmentation_of_a_volume_is_refused_by_name(study_files, tmp_path):
    (tmp_path / "junk.dcm").write_bytes(b"junk")
    for path in (study_files[0], tmp_path / "junk.dcm"):
        with pytest.raises(UnreadableSegmentation, match=path.name) as caught:
            read_segmentation(path)
        assert caught.value.code == "SEG_UNREADABLE"


def test_a_patient_has_one_key_that_does_not_show_the_id(study_files, segmentations, tmp_path):
    identity = study_identity(study_files)
    assert identity == study_identity([tmp_path / "missing", *segmentations])
    patient = str(pydicom.dcmread(study_files[0]).PatientID)
    assert patient not in repr(identity)
    assert len(identity.patient) == len(identity.study) == 16

    def rename(dataset):
        dataset.PatientID = "another"

    other = study_identity([edited(study_files[0], tmp_path / "b.dcm", rename)])
    assert other.patient != identity.patient
    assert other.study == identity.study
    assert study_identity([tmp_path / "missing"]) is None


def concept(value, meaning):
    return {"CodeValue": value, "CodingSchemeDesignator": "SCT", "CodeMeaning": meaning}


def attributes(label, kind, side=None, category=("91723000", "Anatomical Structure")):
    described = {
        "labelID": label,
        "SegmentLabel": f"segment {label}",
        "SegmentDescription": f"segment {label}",
        "SegmentAlgorithmType": "MANUAL",
        "SegmentedPropertyCategoryCodeSequence": concept(*category),
        "SegmentedPropertyTypeCodeSequence": concept(*kind),
    }
    if side:
        described["SegmentedPropertyTypeModifierCodeSequence"] = concept(*side)
    return described


@pytest.mark.parametrize("kind", ["binary", "labelmap"])
def test_objects_that_dcmqi_wrote_are_read_as_well(study, tmp_path, kind):
    program = tool("itkimage2segimage")
    station, source = study.stations[1], study.sources[1]
    geometry = station.volume.geometry
    labels = np.zeros(geometry.shape, np.uint8)
    labels[2:5, 4:9, 3:12] = 1
    labels[4:7, 20:28, 16:19] = 2
    labels[1:3, 12:15, 25:30] = 3
    write_image(labels, geometry, tmp_path / "labels.nii.gz")
    segments = [
        attributes(1, ("71341001", "Femur"), ("7771000", "Left")),
        attributes(2, ("10200004", "Liver")),
        attributes(3, ("52988006", "Lesion"), None, ("49755003", "Morphologically Abnormal")),
    ]
    document = {
        "ContentCreatorName": "Reader",
        "SeriesDescription": "by hand",
        "SeriesNumber": "300",
        "InstanceNumber": "1",
        "BodyPartExamined": "BODY",
        "segmentAttributes": [segments],
    }
    (tmp_path / "meta.json").write_text(json.dumps(document))
    images = [str(image.path) for image in source.images_by_b[max(source.images_by_b)]]
    arguments = {
        "--inputImageList": tmp_path / "labels.nii.gz",
        "--inputDICOMList": ",".join(images),
        "--inputMetadata": tmp_path / "meta.json",
        "--segmentationType": kind,
        "--skip": "1",
        "--outputDICOM": tmp_path / "seg.dcm",
    }
    done = run(program, *(text for pair in arguments.items() for text in pair))
    assert done.returncode == 0, done.stderr
    assert is_segmentation(tmp_path / "seg.dcm")
    found = read_segmentation(tmp_path / "seg.dcm")
    assert [s.structure for s in found] == ["femur_left", "liver", "disease"]
    for number, segment in enumerate(found, start=1):
        moved = resample(segment.mask, segment.geometry, geometry, order=0)
        assert np.array_equal(moved > 0.5, labels == number), segment.label
