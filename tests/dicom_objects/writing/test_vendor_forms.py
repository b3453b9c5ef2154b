"""From every vendor's form of one body to results, through the reader."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest

from dicom_objects.reading.diffusion import read_study
from dicom_objects.scanner.flavours import Flavour
from dicom_objects.scanner.study import write_study
from dicom_objects.writing.results import encode_results
from imaging.adc import taken_over
from imaging.diffusion import DiffusionVolume, Station
from imaging.geometry import Geometry
from phantom.patient import BodyModelName
from tests.dicom_objects.conftest import B_VALUES, SLICES, SPACING_MM, STEP, make_content
from tests.dicom_objects.writing.tools import iod_errors

SIDE = 32


def one_body(n_stations=2):
    """Stations that show the same body where they overlap, as those of a scanner do."""
    rng = np.random.default_rng(3)
    shape = (STEP * (n_stations - 1) + SLICES, SIDE, SIDE)
    s0 = 200.0 + 800.0 * rng.random(shape)
    adc = 600.0 + 1200.0 * rng.random(shape)
    stations = []
    for k in range(n_stations):
        part = slice(STEP * k, STEP * k + SLICES)
        origin = (-46.5, -46.5, k * STEP * SPACING_MM[0])
        geometry = Geometry.axial((SLICES, SIDE, SIDE), SPACING_MM, origin)
        images = {b: (s0 * np.exp(-b * adc * 1e-6))[part].astype(np.float32) for b in B_VALUES}
        stations.append(Station(f"station {k + 1}", DiffusionVolume(geometry, images)))
    beaded = BodyModelName.BEADED
    return SimpleNamespace(stations=tuple(stations), seed=7, truth=None, body_model=beaded)


@pytest.mark.parametrize("flavour", list(Flavour))
def test_references_lead_to_the_pixels_of_the_slice(flavour, tmp_path):
    acquisition = one_body()
    files = write_study(acquisition, tmp_path / "study", distractors=False, flavour=flavour)
    results = encode_results(make_content(read_study(files)), tmp_path / "results")
    assert [r.kind for r in results] == ["seg", "seg", "adc", "adc", "sr"]
    stored = {str(pydicom.dcmread(f, stop_before_pixels=True).SOPInstanceUID): f for f in files}
    for result in results:
        assert iod_errors(result.path) == [], result.path.name
    for truth, result in zip(acquisition.stations, results[:2], strict=True):
        volume = truth.volume
        for frame in pydicom.dcmread(result.path).PerFrameFunctionalGroupsSequence:
            position = frame.PlanePositionSequence[0].ImagePositionPatient
            k = round(volume.geometry.to_index([float(v) for v in position])[0])
            [reference] = frame.DerivationImageSequence[0].SourceImageSequence
            pixels = stored_pixels(stored[reference.ReferencedSOPInstanceUID], reference)
            shown = pixels if pixels.shape == (SIDE, SIDE) else tile(pixels, k)
            likeness = np.corrcoef(shown.ravel(), volume.high_b[k].ravel())[0, 1]
            assert likeness > 0.99
            claims = "YES" if pixels.shape == (SIDE, SIDE) else "NO"
            assert reference.SpatialLocationsPreserved == claims


def test_results_of_a_scanners_adc_map_name_it_as_their_source(study_files, tmp_path):
    sent = [f for f in study_files if f.parent.name[:3] in {"103", "150", "203", "250"}]
    content = make_content(read_study(sent))
    content = replace(content, fit=taken_over(content.fit))
    results = encode_results(content, tmp_path / "results")
    assert [r.kind for r in results] == ["seg", "seg", "adc", "adc", "sr"]
    assert all(iod_errors(result.path) == [] for result in results)
    adc = pydicom.dcmread(results[2].path)
    sources = adc.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence
    headers = {h.SOPInstanceUID: h for h in map(pydicom.dcmread, sent)}
    kinds = [headers[s.ReferencedSOPInstanceUID].ImageType[-1] for s in sources]
    assert len(kinds) == 2
    assert kinds[0] == "ADC"
    definition = adc.PerFrameFunctionalGroupsSequence[0].get("RealWorldValueMappingSequence")
    mapping = definition or adc.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence
    meanings = [
        i.ConceptNameCodeSequence[0].CodeMeaning for i in mapping[0].QuantityDefinitionSequence
    ]
    assert not {"Model Fitting Method", "Measurement Method"} & set(meanings)
    told = {i.ReferencedSOPInstanceUID for i in evidence(pydicom.dcmread(results[-1].path))}
    assert {h.SOPInstanceUID for h in headers.values()} <= told


def evidence(report):
    for study in report.CurrentRequestedProcedureEvidenceSequence:
        for series in study.ReferencedSeriesSequence:
            yield from series.ReferencedSOPSequence


def stored_pixels(path, reference):
    array = pydicom.dcmread(path).pixel_array
    number = reference.get("ReferencedFrameNumber")
    assert (number is None) == (array.ndim == 2)
    return array if number is None else array[int(number) - 1]


def tile(mosaic, k):
    row, column = divmod(k, mosaic.shape[1] // SIDE)
    return mosaic[row * SIDE :, column * SIDE :][:SIDE, :SIDE]
