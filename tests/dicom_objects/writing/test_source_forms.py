"""Results of enhanced and mosaic sources: on the station's grid, with references that are right."""

from dataclasses import replace

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK

from dicom_objects.errors import SourceMismatch
from dicom_objects.reading.records import SourceImage, StationSource
from dicom_objects.writing.results import encode_results
from dicom_objects.writing.slices import read_slices
from imaging.anatomy import BY_NAME
from imaging.geometry import Geometry
from imaging.stations import cut_station
from tests.dicom_objects.conftest import make_content
from tests.dicom_objects.writing.source_forms import FORMS, FRAME_UID, frame_b, make_study
from tests.dicom_objects.writing.tools import iod_errors, run, tool

HIGH_B = 900.0
SOURCE = "260753009"


class Written:
    """One form's study with its results."""

    def __init__(self, form, folder):
        self.form = form
        self.content = make_content(make_study(FORMS[form], folder / "study"))
        self.results = encode_results(self.content, folder / "results")

    def objects(self, kind):
        return [pydicom.dcmread(r.path) for r in self.results if r.kind == kind]

    def expected(self, k, name):
        """The mask of a segment of station `k`."""
        lesion = name.startswith("L")
        labels = self.content.lesion_labels if lesion else self.content.labels
        label = int(name[1:]) if lesion else BY_NAME[name].label
        return cut_station(labels, self.content.assembly.placements[k]) == label


@pytest.fixture(scope="module", params=FORMS)
def written(request, tmp_path_factory):
    return Written(request.param, tmp_path_factory.mktemp(request.param))


def slice_of(geometry, position):
    index = geometry.to_index([float(v) for v in position])
    assert index == pytest.approx(np.rint(index), abs=1e-4)
    assert tuple(np.rint(index[1:])) == (0, 0)
    return round(index[0])


def sources_of(frame):
    return frame.DerivationImageSequence[0].SourceImageSequence


def test_masks_come_back_voxel_for_voxel_by_their_positions(written):
    segs = [r.path for r in written.results if r.kind == "seg"]
    assert len(segs) == 3
    for k, path in enumerate(segs):
        seg = highdicom.seg.segread(path)
        volume = seg.get_volume(combine_segments=False, allow_missing_positions=True)
        geometry = written.content.study.stations[k].volume.geometry
        assert np.allclose(volume.affine[:3, 1:3], geometry.affine[:3, 1:3], atol=1e-6)
        corners = (volume.affine @ [j, 0, 0, 1] for j in range(volume.shape[0]))
        there = [slice_of(geometry, corner[:3]) for corner in corners]
        for n, item in enumerate(seg.SegmentSequence):
            found = np.zeros(geometry.shape, bool)
            found[there] = volume.array[..., n]
            assert np.array_equal(found, written.expected(k, item.TrackingID)), item.TrackingID


def test_dcmqi_reads_the_masks_voxel_for_voxel(written, tmp_path):
    path = written.results[1].path
    arguments = ("--outputDirectory", tmp_path, "--outputType", "nrrd")
    done = run(tool("segimage2itkimage"), "--inputDICOM", path, *arguments)
    assert done.returncode == 0, done.stderr
    geometry = written.content.study.stations[1].volume.geometry
    for item in pydicom.dcmread(path).SegmentSequence:
        image = SimpleITK.ReadImage(str(tmp_path / f"{item.SegmentNumber}.nrrd"))
        mask = SimpleITK.GetArrayFromImage(image) > 0
        first = slice_of(geometry, image.GetOrigin())
        found = np.zeros(geometry.shape, bool)
        found[first : first + len(mask)] = mask
        assert np.array_equal(found, written.expected(1, item.TrackingID)), item.TrackingID


@pytest.mark.parametrize("written", [f for f in FORMS if f != "mosaic"], indirect=True)
def test_every_frame_refers_to_the_frame_of_the_source_that_lies_there(written):
    for station, seg in zip(written.content.study.sources, written.objects("seg"), strict=True):
        source = pydicom.dcmread(station.images_by_b[HIGH_B][0].path)
        numbers = set()
        for frame in seg.PerFrameFunctionalGroupsSequence:
            [reference] = sources_of(frame)
            assert reference.ReferencedSOPInstanceUID == source.SOPInstanceUID
            assert reference.ReferencedSOPClassUID == source.SOPClassUID
            assert reference.SpatialLocationsPreserved == "YES"
            number = int(reference.ReferencedFrameNumber)
            behind = source.PerFrameFunctionalGroupsSequence[number - 1]
            assert frame_b(behind) == HIGH_B
            assert behind.MRDiffusionSequence[0].DiffusionDirectionality == "ISOTROPIC"
            # The same texts, not only the same place.
            there = behind.PlanePositionSequence[0].ImagePositionPatient
            assert frame.PlanePositionSequence[0].ImagePositionPatient == there
            numbers.add(number)
        assert len(numbers) == 8  # bars of bone cross all slices
        measures = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
        assert (measures.SliceThickness, measures.SpacingBetweenSlices) == (4.0, 5.0)


@pytest.mark.parametrize("written", ["mosaic"], indirect=True)
def test_tiles_refer_to_their_mosaic_and_claim_no_place_in_it(written):
    for station, seg in zip(written.content.study.sources, written.objects("seg"), strict=True):
        source = pydicom.dcmread(station.images_by_b[HIGH_B][0].path)
        for frame in seg.PerFrameFunctionalGroupsSequence:
            [reference] = sources_of(frame)
            assert reference.ReferencedSOPInstanceUID == source.SOPInstanceUID
            assert "ReferencedFrameNumber" not in reference
            assert reference.SpatialLocationsPreserved == "NO"
        [whole] = seg.SourceImageSequence
        assert whole.ReferencedSOPInstanceUID == source.SOPInstanceUID
        [series] = seg.ReferencedSeriesSequence
        assert len(series.ReferencedInstanceSequence) == 1


def test_results_have_patient_study_and_frame_of_reference_of_the_source(written):
    for result in written.results:
        header = pydicom.dcmread(result.path)
        assert header.StudyInstanceUID == written.content.study.study_uid
        assert (header.PatientID, str(header.PatientName)) == ("FORMS-1", "Müller^José")
        assert header.StudyDescription == "Ganzkörper"
        assert (header.PatientSex, header.AccessionNumber) == ("F", "ACC7")
        if result.kind != "sr":
            assert header.FrameOfReferenceUID == FRAME_UID
            [series] = header.ReferencedSeriesSequence
            assert series.SeriesInstanceUID != header.SeriesInstanceUID


def test_the_report_lists_each_source_object_once(written):
    [report] = written.objects("sr")
    listed = [
        instance.ReferencedSOPInstanceUID
        for study in report.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    ]
    images = [i for s in written.content.study.sources for v in s.images_by_b.values() for i in v]
    files = {pydicom.dcmread(i.path, stop_before_pixels=True).SOPInstanceUID for i in images}
    ours = {r.sop_instance_uid for r in written.results if r.kind != "sr"}
    assert sorted(listed) == sorted(files | ours)
    assert len(listed) == {"enhanced_all_in_one": 3}.get(written.form, 9) + 6


def test_the_image_library_names_frames_and_mosaics(written):
    [report] = written.objects("sr")
    entries = list(library_entries(report.ContentSequence))
    sources = written.content.study.sources
    expected = [i for s in sources for i in (s.images_by_b[HIGH_B][0], s.images_by_b[HIGH_B][-1])]
    if written.form == "mosaic":
        expected = expected[::2]
    assert len(entries) == len(expected)
    for entry, image in zip(entries, expected, strict=True):
        header = pydicom.dcmread(image.path, stop_before_pixels=True)
        place = entry.ReferencedSOPSequence[0]
        assert place.ReferencedSOPInstanceUID == header.SOPInstanceUID
        assert place.ReferencedSOPClassUID == header.SOPClassUID
        assert place.get("ReferencedFrameNumber") == image.frame_number
        said = {i.ConceptNameCodeSequence[0].CodeMeaning: i for i in entry.ContentSequence}
        rows = said["Pixel Data Rows"].MeasuredValueSequence[0].NumericValue
        assert rows == header.Rows == (96 if written.form == "mosaic" else 32)
        assert ("Image Position (Patient) Z" in said) == (written.form != "mosaic")


def library_entries(items):
    for item in items:
        names = item.get("ConceptNameCodeSequence") or []
        if item.ValueType == "IMAGE" and names[0].CodeValue == SOURCE:
            yield item
        yield from library_entries(item.get("ContentSequence") or [])


def test_every_object_is_valid_by_independent_tools(written, tmp_path):
    for result in written.results:
        assert iod_errors(result.path) == [], result.path.name
    report = written.results[-1].path
    out = tmp_path / "report.json"
    done = run(tool("tid1500reader"), "--inputDICOM", report, "--outputMetadata", out)
    assert done.returncode == 0, done.stderr
    dumped = run(tool("dsrdump"), report)
    assert dumped.returncode == 0
    assert not [line for line in dumped.stderr.splitlines() if line.startswith("E:")]


def test_an_image_that_lies_elsewhere_is_refused(tmp_path):
    content = make_content(make_study(FORMS["enhanced_per_b"], tmp_path / "study"))
    first, *others = content.study.sources
    images = first.images_by_b[HIGH_B]
    wrong = (SourceImage(images[0].path, images[1].frame_number), *images[1:])
    broken = StationSource(first.station, {**first.images_by_b, HIGH_B: wrong})
    study = replace(content.study, sources=(broken, *others))
    with pytest.raises(SourceMismatch, match=r"slice 1 of 8 lies 5\.0 mm from it"):
        encode_results(replace(content, study=study), tmp_path / "results")


def test_an_image_that_is_turned_against_its_slice_is_refused(tmp_path):
    study = make_study(FORMS["enhanced_per_b"], tmp_path)
    images = study.sources[0].images_by_b[HIGH_B]
    geometry = study.stations[0].volume.geometry
    assert len(read_slices(images, geometry)) == 8
    mirrored = geometry.affine.copy()
    mirrored[:3, 2] *= -1  # the columns run to the patient's right
    with pytest.raises(SourceMismatch, match=r"slice 1 of 8 lies 186\.0 mm"):  # 2 x 31 x 3 mm
        read_slices(images, Geometry(geometry.shape, mirrored))
