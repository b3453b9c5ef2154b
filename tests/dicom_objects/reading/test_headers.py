"""Classic instances: what cannot be read says so, and damaged files never stop the others."""

import random

import numpy as np
import pytest
from pydicom.uid import RawDataStorage

from dicom_objects.reading.headers import read_headers
from tests.dicom_objects.reading.forms import (
    classic,
    enhanced,
    frame_groups,
    image,
    needs_scanners,
    read_one,
    real_frames,
    siemens_mosaic,
)

STORED = np.arange(12, dtype=np.uint16).reshape(3, 4)


def test_a_classic_instance_is_one_frame(tmp_path):
    dataset = classic(STORED, (1.0, 2.0, 3.0))
    dataset.DiffusionBValue = 50.0
    dataset.AcquisitionNumber = 4
    dataset.EchoTime = 61
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    (frame,) = read_one(dataset, tmp_path)
    assert (frame.frame_number, frame.problem, frame.private_stripped) == (None, None, False)
    assert frame.b.value == 50.0
    assert frame.repeat == ("4", "", "")
    assert frame.echo_time_ms == 61.0
    assert frame.image_type == ("ORIGINAL", "PRIMARY")
    assert frame.plane.position_mm == (1.0, 2.0, 3.0)
    assert (frame.plane.rows, frame.plane.columns) == (3, 4)


def test_text_beyond_ascii_is_read_in_its_character_set(tmp_path):
    dataset = classic(STORED)
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SeriesDescription = "Körper b50"
    (frame,) = read_one(dataset, tmp_path)
    assert frame.series_description == "Körper b50"


def test_many_frames_in_the_single_frame_class_are_a_problem(tmp_path):
    (frame,) = read_one(classic(np.stack([STORED, STORED])), tmp_path)
    assert frame.problem[0] == "MULTIFRAME_UNSUPPORTED"
    assert "2 frames" in frame.problem[1]


def test_a_colour_image_is_a_problem(tmp_path):
    dataset = classic(STORED.astype(np.uint8))
    dataset.SamplesPerPixel = 3
    dataset.PhotometricInterpretation = "RGB"
    dataset.PlanarConfiguration = 0
    dataset.PixelData = dataset.PixelData * 3
    (frame,) = read_one(dataset, tmp_path)
    assert frame.problem[0] == "COLOUR_IMAGE"


def test_other_classes_are_one_frame_however_many_they_hold(tmp_path):
    (frame,) = read_one(image(np.stack([STORED, STORED]), RawDataStorage), tmp_path)
    assert frame.problem is None
    assert frame.plane is None


def test_stripped_private_groups_are_noted(tmp_path):
    dataset = classic(STORED)
    dataset.Manufacturer = "SIEMENS"
    (frame,) = read_one(dataset, tmp_path)
    assert frame.private_stripped
    own = [frame_groups(0.0, 800.0), frame_groups(5.0, 800.0)]
    dataset = enhanced(np.stack([STORED, STORED]), own)
    dataset.Manufacturer = "Siemens Healthineers"
    assert not any(frame.private_stripped for frame in read_one(dataset, tmp_path))


def test_files_that_are_not_dicom_are_listed_and_the_others_read(tmp_path):
    good = tmp_path / "good"
    classic(STORED).save_as(good)
    (tmp_path / "text").write_text("no DICOM")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "start").write_bytes(good.read_bytes()[:140])
    nameless = classic(STORED)
    del nameless.SOPInstanceUID
    nameless.save_as(tmp_path / "nameless")
    frames, unreadable = read_headers(sorted(tmp_path.iterdir()))
    assert [f.path.name for f in frames] == ["good"]
    assert [p.name for p in unreadable] == ["empty", "nameless", "start", "text"]


def test_a_file_without_preamble_is_read(tmp_path):
    path = tmp_path / "a.dcm"
    dataset = classic(STORED)
    dataset.save_as(path, enforce_file_format=True)
    path.write_bytes(path.read_bytes()[132:])
    frames, unreadable = read_headers([path])
    assert not unreadable
    assert frames[0].plane.rows == 3


@pytest.mark.parametrize("seed", range(4))
def test_damaged_bytes_never_raise(tmp_path, seed):
    chance = random.Random(seed)
    tiles = np.arange(4 * 12, dtype=np.uint16).reshape(4, 3, 4)
    own = [frame_groups(5.0 * k, 800.0, (0.6, 0.0, 0.8)) for k in range(4)]
    paths = []
    for k, dataset in enumerate(
        (classic(STORED), siemens_mosaic(tiles, (0.0, 0.0, 1.0)), enhanced(tiles, own))
    ):
        path = tmp_path / f"{k}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        data = path.read_bytes()
        for n in range(60):
            broken = bytearray(data)
            for _ in range(chance.choice((1, 3, 20))):
                broken[chance.randrange(128, len(data))] = chance.randrange(256)
            paths.append(tmp_path / f"{k}-{n}")
            paths[-1].write_bytes(broken)
    frames, unreadable = read_headers(paths)
    assert {f.path for f in frames} | set(unreadable) == set(paths)
    assert {f.path for f in frames}


@needs_scanners
def test_the_private_philips_class_beside_the_images_is_no_image():
    frames = real_frames("philips_r57_scrambled_instance_numbers", "701_DTI_Biobank")
    odd = [f for f in frames if f.sop_class_uid.startswith("1.3.46")]
    assert len(odd) == 1
    assert odd[0].pixels is None
