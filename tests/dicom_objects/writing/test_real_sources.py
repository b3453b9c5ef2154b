"""SEG and ADC map on files of real scanners: valid, and each frame where its reference lies."""

import numpy as np
import pydicom
import pytest
from pydicom import config, dcmwrite

from dicom_objects.reading.diffusion import read_study
from dicom_objects.reading.limits import FitLimits
from dicom_objects.writing.adc_map import StationAdc, encode_adc_map
from dicom_objects.writing.plan import ObjectPlan
from dicom_objects.writing.segmentation import encode_segmentation
from dicom_objects.writing.segments import segments_of
from dicom_objects.writing.slices import read_slices
from dicom_objects.writing.source_images import read_references
from imaging.anatomy import BY_NAME
from imaging.provenance import BurdenMethod, ModelIdentity, Provenance
from tests.dicom_objects.reading.forms import SCANNERS, needs_scanners
from tests.dicom_objects.writing.tools import iod_errors

HEADS = FitLimits(highest_b_max=3000.0)
PROVENANCE = Provenance(
    software_version="0.1.0",
    git_commit="0" * 40,
    models=(ModelIdentity("anatomy", "1.0.0", "ab" * 32),),
    settings_digest="cd" * 32,
    device_uid="2.25.1",
    run_id="run-1",
    started_at="2026-03-01T12:00:00+00:00",
    finished_at="2026-03-01T12:00:00+00:00",
    burden=BurdenMethod("rule", None, 0.6, "normalised_signal"),
)
FOLDERS = (
    "siemens_xa30_enhanced/10_DWI_dir80_PA",  # enhanced, one object a volume
    "siemens_xa61_enhanced_tracew/14_PRODUCT_ep2d_diff_TRACEW",
    "philips_r53_isotropic_among_directions/601_WIP_dti_ax",  # an empty sequence in its study
    "ge_mr29_b0_without_tag/01_Ax_DWI_TENSOR_R2",
)


@needs_scanners
@pytest.mark.parametrize("folder", FOLDERS)
def test_objects_of_real_sources_are_valid_and_lie_where_their_references_lie(folder, tmp_path):
    study = read_study(sorted(p for p in (SCANNERS / folder).rglob("*") if p.is_file()), HEADS)
    [station], [source] = study.stations, study.sources
    geometry = station.volume.geometry
    labels = np.full(geometry.shape, BY_NAME["sacrum"].label, np.uint8)
    nothing = np.zeros(geometry.shape, np.uint16)
    images = {b: read_references(found) for b, found in source.images_by_b.items()}
    adc = StationAdc(np.full(geometry.shape, 700.0, np.float32), images)
    with config.disable_value_validation():
        slices = read_slices(source.images_by_b[max(images)], geometry)
        segments = segments_of(labels, nothing, ())
        plan = ObjectPlan(source.station, 9001, "seed")
        built = {
            "seg": encode_segmentation(plan, slices, segments, PROVENANCE),
            "adc": encode_adc_map(plan, slices, adc, PROVENANCE),
        }
        for kind, dataset in built.items():
            dcmwrite(tmp_path / kind, dataset, enforce_file_format=True)
    stored = {}
    for image in (i for found in source.images_by_b.values() for i in found):
        header = pydicom.dcmread(image.path, stop_before_pixels=True)
        stored[header.SOPInstanceUID] = header
    for kind in built:
        assert iod_errors(tmp_path / kind) == []
        written = pydicom.dcmread(tmp_path / kind)
        assert len(written.PerFrameFunctionalGroupsSequence) == len(slices)
        for frame in written.PerFrameFunctionalGroupsSequence:
            place = frame.PlanePositionSequence[0].ImagePositionPatient
            behind = frame.DerivationImageSequence[0].SourceImageSequence
            assert len(behind) == (1 if kind == "seg" else len(images))
            for item in behind:
                there = position(stored[item.ReferencedSOPInstanceUID], item)
                assert np.allclose([float(v) for v in there], [float(v) for v in place], atol=0.01)


def position(header, item):
    if "PerFrameFunctionalGroupsSequence" not in header:
        return header.ImagePositionPatient
    groups = header.PerFrameFunctionalGroupsSequence[int(item.ReferencedFrameNumber) - 1]
    return groups.PlanePositionSequence[0].ImagePositionPatient
