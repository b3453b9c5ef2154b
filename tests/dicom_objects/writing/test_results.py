"""SEG, ADC map and SR: valid by other tools, masks voxel for voxel, equal runs equal bytes."""

import json
from dataclasses import replace

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.uid import Comprehensive3DSRStorage, ParametricMapStorage, SegmentationStorage

from dicom_objects.errors import SourceMismatch
from dicom_objects.reading.diffusion import read_study
from dicom_objects.scanner.study import write_study
from dicom_objects.writing.results import encode_results
from dicom_objects.writing.segmentation import tracking_uid
from imaging.anatomy import BY_NAME
from imaging.provenance import BurdenMethod
from imaging.stations import cut_station
from tests.dicom_objects.conftest import make_acquisition, make_content
from tests.dicom_objects.editing import copy_study, edit, every
from tests.dicom_objects.writing.tools import iod_errors, run, tool


def read(results, kind):
    return [pydicom.dcmread(r.path) for r in results if r.kind == kind]


def test_one_seg_and_adc_map_per_station_and_one_report(results):
    assert [r.kind for r in results] == ["seg"] * 3 + ["adc"] * 3 + ["sr"]
    assert {r.sop_class_uid for r in results[:3]} == {SegmentationStorage}
    assert {r.sop_class_uid for r in results[3:6]} == {ParametricMapStorage}
    assert results[-1].sop_class_uid == Comprehensive3DSRStorage
    assert len({r.series_uid for r in results}) == 7
    for result in results:
        written = pydicom.dcmread(result.path)
        assert written.SOPInstanceUID == result.sop_instance_uid
        assert written.SeriesInstanceUID == result.series_uid


def test_results_belong_to_the_study_and_say_research(results, study):
    numbers = []
    for result in results:
        written = pydicom.dcmread(result.path)
        assert written.StudyInstanceUID == study.study_uid
        assert written.PatientID == "OSTEON-PHANTOM-7"
        assert written.ContentQualification == "RESEARCH"
        assert written.SeriesDescription.startswith("RESEARCH")
        assert (written.ContentDate, written.ContentTime) == ("20260301", "120005.250000")
        numbers.append(int(written.SeriesNumber))
    assert numbers == [9001, 9002, 9003, 9101, 9102, 9103, 9004]


def test_masks_come_back_voxel_for_voxel(results, content):
    for result, placement in zip(results[:3], content.assembly.placements, strict=True):
        seg = highdicom.seg.segread(result.path)
        labels = cut_station(content.labels, placement)
        lesions = cut_station(content.lesion_labels, placement)
        sources = content.study.sources[results.index(result)].images_by_b[900.0]
        uids = [pydicom.dcmread(s.path, stop_before_pixels=True).SOPInstanceUID for s in sources]
        masks = seg.get_pixels_by_source_instance(uids, assert_missing_frames_are_empty=True)
        for k, item in enumerate(seg.SegmentSequence):
            name = item.TrackingID
            lesion = name.startswith("L")
            expected = lesions == int(name[1:]) if lesion else labels == BY_NAME[name].label
            assert expected.any()
            assert np.array_equal(masks[..., k], expected), name
        present = set(np.unique(labels)) | {0}
        structures = [i for i in seg.SegmentSequence if not i.TrackingID.startswith("L")]
        assert len(structures) == len(present) - 1


def test_every_frame_refers_to_its_source_image(results, study):
    seg = read(results, "seg")[1]
    sources = {
        pydicom.dcmread(i.path).SOPInstanceUID: pydicom.dcmread(i.path).ImagePositionPatient
        for i in study.sources[1].images_by_b[900.0]
    }
    for frame in seg.PerFrameFunctionalGroupsSequence:
        source = frame.DerivationImageSequence[0].SourceImageSequence[0]
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        assert sources[source.ReferencedSOPInstanceUID] == position
    series = seg.ReferencedSeriesSequence[0].SeriesInstanceUID
    assert series == pydicom.dcmread(study.sources[1].images_by_b[900.0][0].path).SeriesInstanceUID


def test_segments_are_coded_coloured_and_tracked(results):
    segs = read(results, "seg")
    by_name = {i.TrackingID: i for i in segs[0].SegmentSequence}
    kidney = by_name["kidney_left"]
    assert kidney.SegmentedPropertyTypeCodeSequence[0].CodeValue == "64033007"
    assert kidney.SegmentedPropertyTypeModifierCodeSequence[0].CodeValue == "7771000"
    assert kidney.SegmentationAlgorithmIdentificationSequence[0].AlgorithmVersion == "1.0.0"
    assert "ab" * 32 in kidney.SegmentationAlgorithmIdentificationSequence[0].AlgorithmParameters
    lesion = by_name["L01"]
    assert lesion.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "49755003"
    assert lesion.RecommendedDisplayCIELabValue
    author = lesion.SegmentationAlgorithmIdentificationSequence[0]
    assert (author.AlgorithmName, author.AlgorithmVersion) == ("disease", "2.0.0")
    method = "burden by network disease 2.0.0, probability from 0.45 on"
    assert f"lesions={method}" in author.AlgorithmParameters
    assert "ef" * 32 in author.AlgorithmParameters
    assert lesion.SegmentDescription == f"Part of the {method}"
    # A lesion across stations keeps one tracking UID.
    second = [i for s in segs for i in s.SegmentSequence if i.TrackingID == "L02"]
    assert len(second) == 2
    assert {i.TrackingUID for i in second} == {tracking_uid("seed", "L02")}


def test_the_report_holds_the_measured_numbers(results, content):
    report = tool("tid1500reader")
    out = results[-1].path.with_suffix(".json")
    done = run(report, "--inputDICOM", results[-1].path, "--outputMetadata", out)
    assert done.returncode == 0, done.stderr
    groups = {g["TrackingIdentifier"]: g for g in json.loads(out.read_text())["Measurements"]}

    def value(group, code, derivation=None):
        for item in groups[group]["measurementItems"]:
            modifier = item.get("derivationModifier", {}).get("CodeValue")
            if item["quantity"]["CodeValue"] == code and modifier == derivation:
                return float(item["value"]), item["units"]["CodeValue"]
        raise KeyError((group, code, derivation))

    measured = content.measurement
    assert value("whole_skeleton", "TDV") == (pytest.approx(measured.tdv_ml, rel=1e-5), "cm3")
    assert value("whole_skeleton", "N_LESIONS") == (3, "1")
    median = pytest.approx(measured.adc.median, rel=1e-5)
    assert value("whole_skeleton", "113041", "373099004") == (median, "um2/s")
    assert value("whole_skeleton", "113041", "P95")[0] == pytest.approx(measured.adc.p95, rel=1e-5)
    second = measured.lesions[1]
    assert value("L02", "118565006")[0] == pytest.approx(second.volume_ml, rel=1e-5)
    assert groups["L02"]["TrackingUniqueIdentifier"] == tracking_uid("seed", second.name)
    for region in measured.regions:
        if region.coverage is not None and region.name != "whole_skeleton":
            found = value(region.name, "DISEASE_VOLUME")[0]
            assert found == pytest.approx(region.disease_volume_ml, rel=1e-5)


def test_a_rule_s_lesions_are_the_software_s(content, tmp_path):
    method = BurdenMethod("rule", None, 0.6123, "normalised_signal")
    provenance = replace(content.provenance, burden=method)
    written = encode_results(replace(content, provenance=provenance), tmp_path)
    lesion = next(i for i in read(written, "seg")[0].SegmentSequence if i.TrackingID == "L01")
    author = lesion.SegmentationAlgorithmIdentificationSequence[0]
    assert (author.AlgorithmName, author.AlgorithmVersion) == ("Osteon bone disease", "0.1.0")
    assert lesion.SegmentDescription.endswith("by the rule, normalised signal from 0.612 on")


def test_the_report_says_how_the_disease_mask_was_made(results):
    sr = pydicom.dcmread(results[-1].path)
    method = "burden by network disease 2.0.0, probability from 0.45 on"
    assert texts(sr.ContentSequence, "BURDEN_METHOD") == [method]
    assert method in texts(sr.ContentSequence, "111002")  # Algorithm Parameters


def texts(items, code):
    found = []
    for item in items:
        name = item.get("ConceptNameCodeSequence")
        if name and name[0].CodeValue == code:
            found.append(item.TextValue)
        found += texts(item.get("ContentSequence", ()), code)
    return found


def test_lesion_groups_refer_to_the_segment_that_holds_most_of_it(results):
    sr = pydicom.dcmread(results[-1].path)
    segs = {s.SOPInstanceUID: s for s in read(results, "seg")}
    seen = {}

    def walk(items, tracking):
        for item in items:
            name = (
                item.ConceptNameCodeSequence[0].CodeValue
                if "ConceptNameCodeSequence" in item
                else ""
            )
            if name == "112039":
                tracking = item.TextValue
            if item.ValueType == "IMAGE" and name == "121191":
                reference = item.ReferencedSOPSequence[0]
                seg = segs[reference.ReferencedSOPInstanceUID]
                number = int(reference.ReferencedSegmentNumber)
                seen[tracking] = (seg.SeriesNumber, seg.SegmentSequence[number - 1].TrackingID)
            tracking = walk(item.get("ContentSequence", []), tracking)
        return tracking

    walk(sr.ContentSequence, "")
    # Lesion 2 covers slices 5..9, the stations 0..7 and 6..13: 3 slices of it against 4.
    assert seen == {"L01": (9001, "L01"), "L02": (9002, "L02"), "L03": (9003, "L03")}


def test_the_report_registers_its_private_codes_and_names_model_and_evidence(results, study):
    sr = pydicom.dcmread(results[-1].path)
    assert "99OSTEON" in [i.CodingSchemeDesignator for i in sr.CodingSchemeIdentificationSequence]
    texts = " ".join(str(e.value) for e in sr.iterall() if e.keyword == "TextValue")
    assert f"model anatomy 1.0.0, sha256 {'ab' * 32}" in texts
    assert "Research use only" in texts
    assert "SIGNAL_STEP" in texts
    evidence = {
        image.ReferencedSOPInstanceUID
        for item in sr.CurrentRequestedProcedureEvidenceSequence
        for series in item.ReferencedSeriesSequence
        for image in series.ReferencedSOPSequence
    }
    sources = {i for s in study.sources for images in s.images_by_b.values() for i in images}
    assert len(evidence) == len(sources) + 6
    assert (sr.CompletionFlag, sr.VerificationFlag) == ("COMPLETE", "UNVERIFIED")


def test_the_same_run_gives_the_same_bytes_and_another_seed_other_uids(results, content, tmp_path):
    again = encode_results(content, tmp_path / "again")
    for first, second in zip(results, again, strict=True):
        assert first.path.read_bytes() == second.path.read_bytes()
    other = encode_results(replace(content, uid_seed="other"), tmp_path / "other")
    uids = {r.sop_instance_uid for r in results} | {r.series_uid for r in results}
    assert not uids & ({r.sop_instance_uid for r in other} | {r.series_uid for r in other})


def test_dciodvfy_finds_no_error(results):
    for result in results:
        assert iod_errors(result.path) == [], result.path.name


def test_dcmtk_reads_the_report(results, tmp_path):
    dumped = run(tool("dsrdump"), results[-1].path)
    assert dumped.returncode == 0
    assert not [line for line in dumped.stderr.splitlines() if line.startswith("E:")]
    assert "Total diffusion volume" in dumped.stdout
    page = tmp_path / "sr.html"
    assert run(tool("dsr2html"), results[-1].path, page).returncode == 0
    assert "Research use only. Not for diagnosis" in page.read_text()


def test_dcmqi_reads_the_masks_voxel_for_voxel(results, content, tmp_path):
    program = tool("segimage2itkimage")
    sitk = pytest.importorskip("SimpleITK")
    done = run(
        program, "--inputDICOM", results[1].path, "--outputDirectory", tmp_path,
        "--outputType", "nrrd",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seg = pydicom.dcmread(results[1].path)
    placement = content.assembly.placements[1]
    for item in seg.SegmentSequence:
        name, number = item.TrackingID, item.SegmentNumber
        image = sitk.ReadImage(str(tmp_path / f"{number}.nrrd"))
        found = whole_station(sitk.GetArrayFromImage(image) > 0, image)
        labels = content.lesion_labels if name.startswith("L") else content.labels
        label = int(name[1:]) if name.startswith("L") else BY_NAME[name].label
        assert np.array_equal(found, cut_station(labels, placement) == label), name


def whole_station(mask, image):
    """Place dcmqi's bounding box of frames into the 8 slices of the second station."""
    first = round((image.GetOrigin()[2] - 30.0) / 5.0)
    full = np.zeros((8, 32, 32), bool)
    full[first : first + len(mask)] = mask
    return full


def test_sources_without_type_2_attributes_are_no_obstacle(tmp_path):
    files = write_study(make_acquisition(2), tmp_path / "written", distractors=False)
    (tmp_path / "copy").mkdir()
    copied = every(copy_study(files, tmp_path / "copy"))

    def strip(header):
        for keyword in ("PatientBirthDate", "StudyID", "AccessionNumber", "ReferringPhysicianName"):
            delattr(header, keyword)
        header.StudyDate = ""
        del header.PatientSex

    for path in copied:
        edit(path, strip)
    content = make_content(read_study(copied))
    results = encode_results(content, tmp_path / "out")
    assert [r.kind for r in results] == ["seg", "seg", "adc", "adc", "sr"]
    assert pydicom.dcmread(results[0].path).AccessionNumber == ""


def test_empty_sequences_of_a_source_do_not_make_results_invalid(tmp_path):
    """As Philips writes (0008,1032)."""
    files = write_study(make_acquisition(2), tmp_path / "written", distractors=False)
    (tmp_path / "copy").mkdir()
    copied = every(copy_study(files, tmp_path / "copy"))
    for path in copied:
        edit(path, lambda header: setattr(header, "ProcedureCodeSequence", []))
    for result in encode_results(make_content(read_study(copied)), tmp_path / "out"):
        assert iod_errors(result.path) == [], result.path.name


def test_names_in_any_script_come_back_and_appear_in_no_log(tmp_path, caplog):
    files = write_study(make_acquisition(2), tmp_path / "written", distractors=False)
    (tmp_path / "copy").mkdir()
    copied = every(copy_study(files, tmp_path / "copy"))

    def rename(header):
        header.SpecificCharacterSet = "ISO_IR 144"
        header.PatientName = "Иванов"

    for path in copied:
        edit(path, rename)
    with caplog.at_level("DEBUG"):
        results = encode_results(make_content(read_study(copied)), tmp_path / "out")
    assert {str(pydicom.dcmread(r.path).PatientName) for r in results} == {"Иванов"}
    assert "Иванов" not in caplog.text


def test_a_study_without_disease_has_a_report_and_no_lesion_segments(content, tmp_path):
    measurement = replace(content.measurement, tdv_ml=0.0, log_tdv=None, adc=None, lesions=())
    healthy = replace(
        content,
        measurement=replace(measurement, n_lesions=0),
        lesion_labels=np.zeros_like(content.lesion_labels),
    )
    results = encode_results(healthy, tmp_path)
    assert [r.kind for r in results] == ["seg"] * 3 + ["adc"] * 3 + ["sr"]
    names = [i.TrackingID for s in read(results, "seg") for i in s.SegmentSequence]
    assert not [n for n in names if n.startswith("L")]


def test_masks_of_another_grid_are_refused(content, tmp_path):
    with pytest.raises(SourceMismatch, match="station 1"):
        encode_results(
            replace(
                content,
                labels=content.labels[:, :, :-1],
                lesion_labels=content.lesion_labels[:, :, :-1],
            ),
            tmp_path,
        )


def test_a_lesion_that_is_followed_keeps_its_name_and_uid_in_seg_and_report(content, tmp_path):
    measured = content.measurement
    first = replace(measured.lesions[0], name="L07", tracking_uid="2.25.4711")
    known = replace(measured, lesions=(first, *measured.lesions[1:]))
    sentence = "TDV -60 % against the study of 2025-10-01"
    made = encode_results(replace(content, measurement=known, changes=(sentence,)), tmp_path)
    segments = [i for s in read(made, "seg") for i in s.SegmentSequence]
    assert {i.TrackingUID for i in segments if i.TrackingID == "L07"} == {"2.25.4711"}
    assert "L01" not in {i.TrackingID for i in segments}
    (report,) = read(made, "sr")
    values = {str(element.value) for element in report.iterall() if element.VR in {"UI", "UT"}}
    assert {"2.25.4711", sentence} <= values
