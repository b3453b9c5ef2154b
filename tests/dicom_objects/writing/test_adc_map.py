"""The ADC map: right numbers at the right place, said to be what they are, read by others."""

import json
from dataclasses import replace

import numpy as np
import pydicom
import pytest
import SimpleITK

from dicom_objects.errors import SourceMismatch
from dicom_objects.writing.adc_map import StationAdc, encode_adc_map, stored_values
from dicom_objects.writing.plan import ObjectPlan
from dicom_objects.writing.results import encode_results
from dicom_objects.writing.slices import read_slices
from dicom_objects.writing.source_images import read_references
from imaging.stations import cut_station
from tests.dicom_objects.writing.tools import run, tool


@pytest.fixture(scope="module")
def holes(content, tmp_path_factory):
    """Results of a fit with invalid voxels, in a station that lies first, second and third."""
    adc = content.fit.adc_um2_s.copy()
    adc[:, 3:5, 7:9] = np.nan
    adc[2, 10, 10], adc[3, 10, 10] = 0.25, 5000.0
    changed = replace(content, fit=replace(content.fit, adc_um2_s=adc))
    results = encode_results(changed, tmp_path_factory.mktemp("holes"))
    return changed, [r.path for r in results if r.kind == "adc"]


def expected(content, k):
    station = cut_station(content.fit.adc_um2_s, content.assembly.placements[k])
    return np.where(np.isnan(station), 0, np.maximum(station, 1)).astype(np.float32)


def test_dcmqi_reads_the_values_on_the_stations_grid(holes, tmp_path):
    content, paths = holes
    for k, path in enumerate(paths):
        done = run(
            tool("paramap2itkimage"), "--inputDICOM", path, "--outputDirectory", tmp_path,
            "--prefix", str(k),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        image = SimpleITK.ReadImage(str(tmp_path / f"{k}-pmap.nrrd"))
        assert np.array_equal(SimpleITK.GetArrayFromImage(image), expected(content, k))
        geometry = content.study.stations[k].volume.geometry
        assert image.GetOrigin() == pytest.approx(geometry.origin_mm)
        assert image.GetSpacing() == pytest.approx(geometry.spacing_mm[::-1])
    said = json.loads((tmp_path / "1-meta.json").read_text())
    assert said["QuantityValueCode"]["CodeValue"] == "113041"
    assert said["MeasurementUnitsCode"]["CodeValue"] == "um2/s"
    assert said["MeasurementMethodCode"]["CodeValue"] == "113250"
    assert said["SourceImageDiffusionBValues"] == ["50", "600", "900"]


def test_invalid_voxels_lie_outside_the_real_world_values(holes):
    content, paths = holes
    for k, path in enumerate(paths):
        built = pydicom.dcmread(path)
        station = cut_station(content.fit.adc_um2_s, content.assembly.placements[k])
        assert np.array_equal(built.pixel_array == 0, np.isnan(station))
        assert built.FloatPixelPaddingValue == 0
        shared = built.SharedFunctionalGroupsSequence[0]
        mapping = shared.RealWorldValueMappingSequence[0]
        assert mapping.DoubleFloatRealWorldValueFirstValueMapped == 1.0
        assert mapping.DoubleFloatRealWorldValueLastValueMapped == 5000.0
        assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1.0, 0.0)
        assert built.Modality == "MR"


def test_stored_values_keep_what_is_valid_and_clip_to_the_range():
    given = np.array([np.nan, 0.0, 0.2, 1.0, 712.25, 5000.0], np.float32)
    assert stored_values(given).tolist() == [0.0, 0.0, 1.0, 1.0, 712.25, 5000.0]
    assert stored_values(given).dtype == np.float32


def test_each_frame_names_the_image_of_every_b_value_at_its_place(content, results):
    paths = [r.path for r in results if r.kind == "adc"]
    for source, path in zip(content.study.sources, paths, strict=True):
        at = {}
        for b, images in source.images_by_b.items():
            for image in images:
                header = pydicom.dcmread(image.path, stop_before_pixels=True)
                at[header.SOPInstanceUID] = (b, header.ImagePositionPatient)
        built = pydicom.dcmread(path)
        assert len(built.PerFrameFunctionalGroupsSequence) == 8
        for frame in built.PerFrameFunctionalGroupsSequence:
            behind = frame.DerivationImageSequence[0].SourceImageSequence
            found = [at[item.ReferencedSOPInstanceUID] for item in behind]
            assert [b for b, _ in found] == [50.0, 600.0, 900.0]
            place = frame.PlanePositionSequence[0].ImagePositionPatient
            assert all(position == place for _, position in found)
        listed = {i.ReferencedSOPInstanceUID for i in built.SourceImageSequence}
        assert listed == set(at)


def test_without_the_setting_there_is_no_map_and_the_report_lists_none(content, tmp_path):
    results = encode_results(replace(content, adc_map=False), tmp_path)
    assert [r.kind for r in results] == ["seg"] * 3 + ["sr"]
    classes = [
        str(image.ReferencedSOPClassUID)
        for study in pydicom.dcmread(results[-1].path).CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for image in series.ReferencedSOPSequence
    ]
    assert "1.2.840.10008.5.1.4.1.1.30" not in classes


def test_a_map_of_another_grid_is_refused(content):
    source = content.study.sources[0]
    geometry = content.study.stations[0].volume.geometry
    slices = read_slices(source.images_by_b[900.0], geometry)
    images = {b: read_references(found) for b, found in source.images_by_b.items()}
    adc = StationAdc(np.zeros((8, 32, 31), np.float32), images)
    with pytest.raises(SourceMismatch, match="station 1"):
        encode_adc_map(ObjectPlan("station 1", 9101, "seed"), slices, adc, content.provenance)
