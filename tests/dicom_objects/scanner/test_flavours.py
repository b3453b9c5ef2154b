"""Each flavour has its vendor's quirks, in the elements where real headers have them."""

import math

import numpy as np
import pydicom
import pytest
from pydicom.uid import EnhancedMRImageStorage, MRImageStorage

from dicom_objects.scanner.study import Flavour, write_study
from tests.dicom_objects.conftest import SLICES, make_acquisition

VENDOR_PREFIX = {
    "standard": "OSTEON",
    "siemens": "SIEMENS",
    "siemens-xa-enhanced": "Siemens",
    "ge": "GE",
    "philips": "Philips",
    "philips-enhanced": "Philips",
    "canon": "CANON",
    "uih": "UIH",
}


def private(header, group, creator, offset):
    block = header.private_block(group, creator)
    return block[offset].value if offset in block else None


@pytest.mark.parametrize("flavour", list(Flavour))
def test_every_object_names_the_vendor_and_says_that_it_is_synthetic(headers, flavour):
    for objects in headers(flavour).values():
        for header in objects:
            assert header.Manufacturer.startswith(VENDOR_PREFIX[flavour])
            assert "SYNTHETIC" in header.StudyDescription
            if flavour is not Flavour.STANDARD:
                assert "synthetic" in header.ManufacturerModelName
                assert header.InstitutionName == "OSTEON PHANTOM"


def test_flavours_are_different_studies_and_no_uid_occurs_twice(headers):
    studies, objects = set(), []
    for flavour in Flavour:
        every = [h for series in headers(flavour).values() for h in series]
        studies.add(every[0].StudyInstanceUID)
        assert len({h.StudyInstanceUID for h in every}) == 1
        objects += [h.SOPInstanceUID for h in every]
        assert all(h.file_meta.MediaStorageSOPInstanceUID == h.SOPInstanceUID for h in every)
    assert len(studies) == len(Flavour)
    assert len(set(objects)) == len(objects)


@pytest.mark.parametrize("flavour", list(Flavour))
def test_equal_acquisitions_give_equal_bytes(flavour, tmp_path):
    first, second = (
        [
            path.read_bytes()
            for path in write_study(
                make_acquisition(1), tmp_path / name, distractors=False, flavour=flavour
            )
        ]
        for name in ("a", "b")
    )
    assert first == second


def test_siemens_keeps_the_b_value_in_a_private_element_only(headers):
    one_series = headers("siemens")["101_ep2d_diff_st1_TRACEW"]
    per_b = [headers("siemens")[f"20{k}_ep2d_diff_st2_TRACEW"] for k in (1, 2, 3)]
    assert len(one_series) == 3 * SLICES
    assert [len(series) for series in per_b] == [SLICES] * 3
    for series in (one_series, [h for one in per_b for h in one]):
        assert not any("DiffusionBValue" in h or "RescaleSlope" in h for h in series)
        found = {
            (
                private(h, 0x19, "SIEMENS MR HEADER", 0x0C),
                private(h, 0x19, "SIEMENS MR HEADER", 0x0D),
                h.SequenceName,
            )
            for h in series
        }
        assert found == {
            (0, "NONE", "*ep_b0"),
            (50, "ISOTROPIC", "*ep_b50t"),
            (900, "ISOTROPIC", "*ep_b900t"),
        }
        assert {tuple(h.ImageType)[3] for h in series} == {"TRACEW"}


def test_siemens_computes_a_b_value_that_only_its_names_tell(headers, imaged):
    acquired = headers("siemens")["203_ep2d_diff_st2_TRACEW"]
    computed = headers("siemens")["260_ep2d_diff_st2_CALC_BVAL"]
    one, other = acquired[3], computed[3]
    assert one.ImageType == other.ImageType
    assert private(other, 0x19, "SIEMENS MR HEADER", 0x0C) == 1400
    assert private(other, 0x19, "SIEMENS MR HEADER", 0x0D) == "ISOTROPIC"
    assert other.SequenceName == "*ep_b0_1400"
    s0, s900 = (imaged.stations[1].volume.images[b][3] for b in (0.0, 900.0))
    expected = s900 * np.exp(-500 / 900 * np.log(s0 / s900))
    unit = s900.max() / one.pixel_array.max()
    shown = other.pixel_array > 0
    assert shown.mean() > 0.9
    assert np.abs(other.pixel_array * unit - expected)[shown].max() < 0.01 * expected.max()


def test_siemens_adc_carries_a_b_value_and_stations_have_frames_of_their_own(headers):
    adc = headers("siemens")["150_ep2d_diff_st1_ADC"][0]
    assert "ADC" in adc.ImageType
    assert private(adc, 0x19, "SIEMENS MR HEADER", 0x0C) == 900
    frames = [
        {h.FrameOfReferenceUID for name in names for h in headers("siemens")[name]}
        for names in (
            ("101_ep2d_diff_st1_TRACEW", "150_ep2d_diff_st1_ADC"),
            ("201_ep2d_diff_st2_TRACEW", "203_ep2d_diff_st2_TRACEW"),
        )
    ]
    assert [len(f) for f in frames] == [1, 1]
    assert frames[0] != frames[1]


def test_siemens_xa_writes_one_object_for_each_b_value(headers):
    objects = headers("siemens-xa-enhanced")["101_ep2d_diff_st1_TRACEW"]
    assert len(objects) == 3
    assert {o.SOPClassUID for o in objects} == {EnhancedMRImageStorage}
    for header, b in zip(objects, (0.0, 50.0, 900.0), strict=True):
        frames = header.PerFrameFunctionalGroupsSequence
        assert header.NumberOfFrames == len(frames) == SLICES
        diffusion = {
            (d.DiffusionBValue, d.DiffusionDirectionality)
            for d in (f.MRDiffusionSequence[0] for f in frames)
        }
        assert diffusion == {(b, "ISOTROPIC")}
        assert frames[0].MRImageFrameTypeSequence[0].FrameType[3] == "TRACEW"
        assert "ImagePositionPatient" not in header


def test_siemens_xa_adc_has_no_b_value_and_a_report_lies_beside(headers):
    [adc] = headers("siemens-xa-enhanced")["102_ep2d_diff_st1_ADC"]
    frame = adc.PerFrameFunctionalGroupsSequence[2]
    assert frame.MRImageFrameTypeSequence[0].FrameType[3] == "ADC"
    assert "DiffusionBValue" not in frame.MRDiffusionSequence[0]
    [report] = headers("siemens-xa-enhanced")["9999_PhoenixZIPReport"]
    assert report.Modality == "SR"


def test_ge_leaves_b_0_out_and_adds_a_billion_to_the_others(headers):
    series = headers("ge")["101_Ax_DWI_st1"]
    found = {
        (
            h.get("DiffusionBValue"),
            tuple(private(h, 0x43, "GEMS_PARM_01", 0x39)),
            private(h, 0x43, "GEMS_PARM_01", 0x30),
        )
        for h in series
    }
    assert found == {
        (None, (0, 8, 0, 0), 14),
        (50.0, (1_000_000_050, 8, 0, 0), 19),
        (900.0, (1_000_000_900, 8, 0, 0), 19),
    }
    vectors = {private(h, 0x19, "GEMS_ACQU_01", e) for h in series for e in (0xBB, 0xBC, 0xBD)}
    assert vectors == {0}
    assert {tuple(h.ImageType) for h in series} == {("ORIGINAL", "PRIMARY", "OTHER")}
    assert not any("DiffusionDirectionality" in h or "RescaleSlope" in h for h in series)


def test_only_its_description_tells_the_adc_map_of_ge(headers):
    adc = headers("ge")["150_Apparent_Diffusion_Coefficient__mm2_s_"][0]
    assert adc.SeriesDescription == "Apparent Diffusion Coefficient (mm2/s)"
    assert tuple(adc.ImageType) == ("DERIVED", "SECONDARY", "PROCESSED")
    assert private(adc, 0x43, "GEMS_PARM_01", 0x39)[0] == 900


def images(headers, name):
    return [h for h in headers("philips")[name] if h.SOPClassUID == MRImageStorage]


def test_philips_mixes_trace_images_directions_and_repeated_b_0(headers):
    diffusion = [h for h in images(headers, "201_DWIBS_st2") if "DiffusionBValue" in h]
    kinds = [
        (h.DiffusionBValue, private(h, 0x2001, "Philips Imaging DD 001", 0x04)) for h in diffusion
    ]
    expected = {(b, "I") for b in (0.0, 0.001, 0.002)}
    expected |= {(b, letter) for b in (50.0, 900.0) for letter in "IMPS"}
    assert set(kinds) == expected
    assert len(kinds) == len(expected) * SLICES
    assert {tuple(h.ImageType) for h in diffusion} == {("ORIGINAL", "PRIMARY", "M_SE", "M", "SE")}
    for h in diffusion:
        b = private(h, 0x2001, "Philips Imaging DD 001", 0x03)
        assert math.isclose(b, h.DiffusionBValue, rel_tol=1e-6)
        numbers = [private(h, 0x2005, "Philips MR Imaging DD 005", e) for e in (0x12, 0x13)]
        order = sorted({0.0, 0.001, 0.002, 50.0, 900.0}).index(h.DiffusionBValue) + 1
        letter = private(h, 0x2001, "Philips Imaging DD 001", 0x04)
        assert numbers == [order, "MPSI".index(letter) + 1]
        assert "DiffusionDirectionality" not in h


def test_philips_scrambles_instance_numbers_and_scales_each_series(headers):
    slopes = []
    for name in ("101_DWIBS_st1", "201_DWIBS_st2"):
        series = images(headers, name)
        numbers = [h.InstanceNumber for h in series]
        assert sorted(numbers) == list(range(1, len(series) + 1))
        assert numbers != sorted(numbers)
        diffusion = [h for h in series if "DiffusionBValue" in h]
        [slope] = {float(h.RescaleSlope) for h in diffusion}
        [scale] = {private(h, 0x2005, "Philips MR Imaging DD 001", 0x0E) for h in diffusion}
        assert 0 < scale < 0.1
        slopes.append(slope)
    assert len(set(slopes)) == 2
    assert 1.0 not in slopes


def test_philips_adc_lies_inside_or_beside_with_other_objects(headers):
    study = headers("philips")
    inside = [h for h in images(headers, "101_DWIBS_st1") if "ADC" in h.ImageType]
    assert len(inside) == SLICES
    assert all(h.ImageType[0] == "ORIGINAL" for h in inside)
    assert not any("ADC" in h.ImageType for h in images(headers, "201_DWIBS_st2"))
    assert len(study["202_dDWIBS_st2"]) == SLICES
    [alien] = [h for h in study["101_DWIBS_st1"] if h.SOPClassUID != MRImageStorage]
    assert alien.SOPClassUID == "1.3.46.670589.11.0.0.12.2"
    assert alien.Rows == 80
    assert "PixelData" not in alien
    assert study["103_DEFAULT_PS_SERIES"][0].Modality == "PR"


def test_philips_enhanced_has_all_of_a_station_in_one_object(headers):
    [station] = headers("philips-enhanced")["201_DWIBS_st2"]
    frames = station.PerFrameFunctionalGroupsSequence
    assert len(frames) == SLICES * (1 + 4 + 4 + 1)
    # All volumes of one slice come first.
    first = [f.PlanePositionSequence[0].ImagePositionPatient for f in frames[:10]]
    assert len({tuple(p) for p in first}) == 1
    kinds = [
        (
            f.MRImageFrameTypeSequence[0].FrameType[0],
            f.MRImageFrameTypeSequence[0].FrameType[3],
            f.MRDiffusionSequence[0].get("DiffusionBValue"),
            f.MRDiffusionSequence[0].DiffusionDirectionality,
        )
        for f in frames[:10]
    ]
    weighted = [
        kind
        for b in (50.0, 900.0)
        for kind in (
            *[("ORIGINAL", "NONE", b, "DIRECTIONAL")] * 3,
            ("DERIVED", "NONE", b, "ISOTROPIC"),
        )
    ]
    first_kind = ("ORIGINAL", "NONE", 0.0, "NONE")
    assert kinds == [first_kind, *weighted, ("DERIVED", "ADC", None, "ISOTROPIC")]
    indices = [tuple(f.FrameContentSequence[0].DimensionIndexValues) for f in frames]
    assert len(set(indices)) == len(frames)
    assert len(station.DimensionIndexSequence) == len(indices[0])


def test_philips_enhanced_repeats_standard_attributes_where_they_do_not_count(headers):
    [station] = headers("philips-enhanced")["101_DWIBS_st1"]
    for frame in station.PerFrameFunctionalGroupsSequence:
        [copy] = private(frame, 0x2005, "Philips MR Imaging DD 005", 0x0F)
        assert copy.DiffusionBValue is None
        assert copy["ImagePositionPatient"].is_empty
        assert copy["RescaleSlope"].is_empty
    slopes = {
        float(f.PixelValueTransformationSequence[0].RescaleSlope)
        for f in station.PerFrameFunctionalGroupsSequence
    }
    assert len(slopes) == 2  # images and ADC map


def test_canon_says_the_direction_in_a_comment_only(headers):
    series = headers("canon")["1000_DWI_st1"]
    comments = {(h.DiffusionBValue, h.get("ImageComments")) for h in series}
    vectors = ("(1.000,0.000,0.000)", "(0.000,1.000,0.000)", "(0.000,0.000,1.000)")
    weighted = {(b, f"b={b:.0f}{v}") for b in (50.0, 900.0) for v in vectors}
    assert comments == {(0.0, None)} | weighted
    assert not any("DiffusionGradientOrientation" in h for h in series)
    assert {h.TemporalPositionIndex for h in series} == {1}


def test_older_canon_gives_b_0_no_b_value_at_all(headers):
    series = headers("canon")["2000_DWI_st2"]
    found = {
        (h.get("DiffusionBValue"), tuple(h.get("DiffusionGradientOrientation") or ()))
        for h in series
    }
    axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    assert found == {(None, ())} | {(b, axis) for b in (50.0, 900.0) for axis in axes}
    assert not any("ImageComments" in h for h in series)


def test_the_geometric_mean_of_canons_directions_is_the_trace_image(headers, imaged):
    series = [h for h in headers("canon")["1000_DWI_st1"] if h.get("DiffusionBValue") == 900]
    by_direction = np.array([h.pixel_array for h in series], float).reshape(3, SLICES, 32, 32)
    trace = imaged.stations[0].volume.images[900.0]
    brightest = max(float(s.volume.images[0.0].max()) for s in imaged.stations)
    mean = np.exp(np.log(by_direction).mean(axis=0)) * brightest / 24000
    assert np.abs(mean / trace - 1).max() < 0.001


def test_uih_lays_slices_out_as_tiles_and_hides_their_positions(headers, imaged):
    series = headers("uih")["201_epi_dwi_st2"]
    assert len(series) == 3
    for header, b, asked in zip(series, (0.0, 50.0, 900.0), (0.0, 60.0, 950.0), strict=True):
        assert header.ImageType[-1] == "VFRAME"
        assert "ImagePositionPatient" not in header
        assert "DiffusionBValue" not in header
        assert private(header, 0x65, "Image Private Header", 0x09) == b
        assert private(header, 0x65, "Image Private Header", 0x0A) == asked
        items = private(header, 0x65, "Image Private Header", 0x51)
        heights = [item.ImagePositionPatient[2] for item in items]
        assert heights == [30 + 5 * k for k in range(SLICES)]
        # 8 slices are 3 x 3 tiles with one left empty, as 20 are 5 x 4 on the real scanner.
        assert (header.Rows, header.Columns) == (96, 96)
    tiles = series[2].pixel_array
    assert not tiles[64:, 64:].any()
    image = imaged.stations[1].volume.images[900.0]
    ratio = tiles[32:64, 64:96] / image[5]  # the sixth tile: second row, third column
    assert np.ptp(ratio) < 0.01 * ratio.mean()


def test_without_distractors_there_is_nothing_but_what_must_be_read(imaged, tmp_path):
    for flavour in Flavour:
        folder = tmp_path / flavour
        files = write_study(imaged, folder, distractors=False, flavour=flavour)
        for path in files:
            header = pydicom.dcmread(path, stop_before_pixels=True)
            assert header.Modality == "MR"
            assert "ADC" not in header.SeriesDescription
            assert header.SeriesNumber > 2
