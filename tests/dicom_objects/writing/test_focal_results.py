"""Focal lesions in SEG and SR: objects, names and authors of their own, never in the burden."""

import json
from dataclasses import replace

import highdicom
import numpy as np
import pydicom
import pytest

from dicom_objects.writing.results import encode_results
from imaging.focal_lesions import FocalLesions
from imaging.measurement import MeasurementSettings, measure_lesions
from imaging.provenance import ModelIdentity
from imaging.stations import cut_station
from tests.dicom_objects.conftest import make_content
from tests.dicom_objects.writing.test_results import read, texts
from tests.dicom_objects.writing.tools import iod_errors, run, tool

MODEL = ModelIdentity("focal", "0.3.0", "12" * 32)
SAID = (
    "focal lesions by network focal 0.3.0, probability from 0.55 on, from 0.1 mL on; "
    "no part of TDV and gADC"
)


@pytest.fixture(scope="module")
def with_focal(study):
    """The tiny results and two focal lesions: the first lies in two stations."""
    content = make_content(study)
    labels = np.zeros_like(content.lesion_labels)
    labels[5:9, 20:24, 20:24] = 1
    labels[1:2, 9:12, 9:12] = 2
    grid, adc = content.assembly.volume.geometry, content.fit.adc_um2_s
    lesions = measure_lesions(adc, content.labels, labels, grid, MeasurementSettings(), "F")
    return replace(content, focal=FocalLesions(MODEL, 0.55, lesions, labels, 1.0, 2.0))


@pytest.fixture(scope="module")
def written(with_focal, tmp_path_factory):
    return encode_results(with_focal, tmp_path_factory.mktemp("results"))


def test_focal_lesions_have_series_of_their_own(written):
    kinds = [r.kind for r in written]
    assert kinds == ["seg"] * 3 + ["focal_seg"] * 2 + ["adc"] * 3 + ["sr"]
    assert len({r.series_uid for r in written}) == 9
    segs = read(written, "focal_seg")
    assert [int(s.SeriesNumber) for s in segs] == [9201, 9202]
    assert {s.ContentLabel for s in segs} == {"OSTEON_FOCAL"}
    assert [s.SeriesDescription for s in segs] == [
        "RESEARCH Osteon SEG focal station 1",
        "RESEARCH Osteon SEG focal station 2",
    ]
    names = [[i.TrackingID for i in s.SegmentSequence] for s in segs]
    assert names == [["F01", "F02"], ["F01"]]


def test_the_other_objects_are_as_without_a_list(written, with_focal, tmp_path):
    plain = encode_results(replace(with_focal, focal=None), tmp_path)
    for kind in ("seg", "adc"):
        ours = [r.path.read_bytes() for r in written if r.kind == kind]
        assert ours == [r.path.read_bytes() for r in plain if r.kind == kind]


def test_masks_of_focal_lesions_come_back_voxel_for_voxel(written, with_focal):
    paths = [r.path for r in written if r.kind == "focal_seg"]
    for path, placement in zip(paths, with_focal.assembly.placements, strict=False):
        seg = highdicom.seg.segread(path)
        labels = cut_station(with_focal.focal.labels, placement)
        station = next(s for s in with_focal.study.sources if s.station == placement.station)
        sources = station.images_by_b[900.0]
        uids = [pydicom.dcmread(s.path, stop_before_pixels=True).SOPInstanceUID for s in sources]
        pixels = seg.get_pixels_by_source_instance(uids, ignore_spatial_locations=True)
        for number, item in enumerate(seg.SegmentSequence):
            wanted = labels == int(item.TrackingID[1:])
            assert np.array_equal(pixels[..., number] > 0, wanted)


def test_segments_name_the_focal_network_and_its_definition(written):
    item = read(written, "focal_seg")[0].SegmentSequence[0]
    author = item.SegmentationAlgorithmIdentificationSequence[0]
    assert (author.AlgorithmName, author.AlgorithmVersion) == ("focal", "0.3.0")
    assert item.SegmentDescription == f"Part of the {SAID}"
    assert item.SegmentLabel == "Focal lesion 1"
    burden = read(written, "seg")[0].SegmentSequence[-1]
    assert burden.SegmentDescription.startswith("Part of the burden by network disease")


def test_the_report_lists_them_after_the_burden_and_counts_them_nowhere(written):
    sr = read(written, "sr")[0]
    tracked = texts(sr.ContentSequence, "112039")
    assert [t for t in tracked if t[0] in "LF"] == ["L01", "L02", "L03", "F01", "F02"]
    assert texts(sr.ContentSequence, "FOCAL_METHOD") == [SAID]
    assert texts(sr.ContentSequence, "111002").count(SAID) == 2  # Algorithm Parameters
    counts = [
        float(i.MeasuredValueSequence[0].NumericValue)
        for i in _all(sr.ContentSequence)
        if i.ValueType == "NUM" and i.ConceptNameCodeSequence[0].CodeValue == "N_LESIONS"
    ]
    assert max(counts) == 3


def _all(items):
    for item in items:
        yield item
        yield from _all(item.get("ContentSequence", ()))


def test_groups_refer_to_focal_segments(written):
    sr = read(written, "sr")[0]
    focal = {str(s.SOPInstanceUID) for s in read(written, "focal_seg")}
    referenced = {
        str(i.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
        for i in _all(sr.ContentSequence)
        if i.ValueType == "IMAGE" and i.get("ConceptNameCodeSequence")
    }
    assert focal & referenced == {read(written, "focal_seg")[0].SOPInstanceUID}


def test_other_programs_find_no_fault(written):
    for result in written:
        if result.kind in {"focal_seg", "sr"}:
            assert iod_errors(result.path) == []


def test_another_program_reads_the_same_measurements(written, with_focal, tmp_path):
    sr = next(r for r in written if r.kind == "sr")
    out = tmp_path / "tid1500.json"
    done = run(tool("tid1500reader"), "--inputDICOM", sr.path, "--outputMetadata", out)
    assert done.returncode == 0, done.stderr
    groups = {g["TrackingIdentifier"]: g for g in json.loads(out.read_text())["Measurements"]}
    (volume,) = (
        i for i in groups["F01"]["measurementItems"] if i["quantity"]["CodeValue"] == "118565006"
    )
    assert float(volume["value"]) == pytest.approx(with_focal.focal.lesions[0].volume_ml, rel=1e-5)


def test_a_list_without_lesions_makes_no_object(with_focal, tmp_path):
    empty = replace(with_focal.focal, lesions=(), labels=np.zeros_like(with_focal.lesion_labels))
    written = encode_results(replace(with_focal, focal=empty), tmp_path)
    assert "focal_seg" not in [r.kind for r in written]
    sr = pydicom.dcmread(written[-1].path)
    assert texts(sr.ContentSequence, "FOCAL_METHOD") == [SAID]
