"""Small data sets in the forms that scanners send, and the folder of real ones."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    generate_uid,
)

from dicom_objects.reading.headers import read_headers

SCANNERS = Path(__file__).resolve().parents[4] / "shared" / "scanners"
EXPECTED = (
    json.loads((SCANNERS / "expected.json").read_text())["cases"]
    if (SCANNERS / "expected.json").exists()
    else {}
)
needs_scanners = pytest.mark.skipif(
    not EXPECTED,
    reason="real scanner data not found at ../shared/scanners; set up the shared folder to run",
)


def read_one(dataset, folder, name="a.dcm", **encoding):
    """Write the data set and return its frames."""
    path = folder / name
    dataset.save_as(path, enforce_file_format=True, **encoding)
    frames, unreadable = read_headers([path])
    assert not unreadable
    return frames


def real_frames(case, folder):
    frames, unreadable = read_headers(sorted((SCANNERS / case / folder).iterdir()))
    assert not unreadable
    return frames


def series_of(case, folder):
    return next(s for s in EXPECTED[case]["series"] if s["folder"] == folder)


def image(stored, sop_class=MRImageStorage):
    """Build an instance around stored values of (rows, columns) or (frame, rows, columns)."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = dataset.SeriesInstanceUID = "1.2.3"
    dataset.FrameOfReferenceUID = "1.2.4"
    dataset.Modality = "MR"
    dataset.SeriesNumber = 5
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape[-2:]
    dataset.BitsAllocated = dataset.BitsStored = stored.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    if stored.ndim == 3:
        dataset.NumberOfFrames = len(stored)
    dataset.PixelData = stored.astype(stored.dtype.newbyteorder("<")).tobytes()
    return dataset


def classic(stored, position=(0.0, 0.0, 0.0)):
    dataset = image(stored)
    dataset.ImagePositionPatient = list(position)
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PixelSpacing = [2, 3]
    return dataset


def item(**values):
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def shared_groups():
    return item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
        PixelMeasuresSequence=[item(PixelSpacing=[2, 3])],
        MREchoSequence=[item(EffectiveEchoTime=66.5)],
        MRImageFrameTypeSequence=[item(FrameType=["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"])],
    )


def frame_groups(z, b, direction=None):
    diffusion = item(DiffusionBValue=b, DiffusionDirectionality="DIRECTIONAL" if b else "NONE")
    if direction:
        diffusion.DiffusionGradientDirectionSequence = [
            item(DiffusionGradientOrientation=list(direction))
        ]
    return item(
        PlanePositionSequence=[item(ImagePositionPatient=[1.0, 2.0, z])],
        MRDiffusionSequence=[diffusion],
        FrameContentSequence=[
            item(
                FrameAcquisitionNumber=7,
                TemporalPositionIndex=3,
                FrameAcquisitionDateTime="20260101120000",
                StackID="1",
            )
        ],
        PixelValueTransformationSequence=[item(RescaleSlope=2, RescaleIntercept=-4)],
    )


def enhanced(stored, groups, shared=None, sop_class=EnhancedMRImageStorage):
    dataset = image(stored, sop_class)
    dataset.SharedFunctionalGroupsSequence = [shared or shared_groups()]
    dataset.PerFrameFunctionalGroupsSequence = list(groups)
    return dataset


def tiled(tiles, across):
    """Lay (slice, row, column) out as a mosaic; places that are left stay 0."""
    count, rows, columns = tiles.shape
    whole = np.zeros((-(-count // across) * rows, across * columns), tiles.dtype)
    for k, tile in enumerate(tiles):
        row, column = k // across * rows, k % across * columns
        whole[row : row + rows, column : column + columns] = tile
    return whole


def siemens_mosaic(tiles, normal, position=(0.0, 0.0, 0.0)):
    """Square grid, 5 mm between slices, pixels of 2 x 3 mm."""
    side = int(np.ceil(np.sqrt(len(tiles))))
    whole = np.zeros((side * tiles.shape[1], side * tiles.shape[2]), tiles.dtype)
    part = tiled(tiles, side)
    whole[: part.shape[0]] = part
    dataset = classic(whole, position)
    dataset.Manufacturer = "SIEMENS"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE", "ND", "MOSAIC"]
    dataset.SpacingBetweenSlices = 5
    block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0A, "US", len(tiles))
    block.add_new(0x0C, "IS", 800)
    if normal is not None:
        csa = csa_header({"SliceNormalVector": [str(v) for v in normal]})
        dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", csa)
    return dataset


def vframe(tiles, positions):
    across = int(np.ceil(np.sqrt(len(tiles))))
    dataset = classic(tiled(tiles, across))
    del dataset.ImagePositionPatient
    dataset.Manufacturer = "UIH"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "VFRAME"]
    block = dataset.private_block(0x0065, "Image Private Header", create=True)
    block.add_new(0x09, "FD", 929.75)
    if positions is not None:
        block.add_new(0x51, "SQ", [item(ImagePositionPatient=list(p)) for p in positions])
    return dataset


def csa_header(elements, version=2):
    """Encode a Siemens CSA header of texts (nibabel, "Siemens format DICOM with CSA header")."""
    start = b"SV10\x04\x03\x02\x01" if version == 2 else b""
    data = start + struct.pack("<II", len(elements), 77)
    first = len(next(iter(elements.values())))
    for name, values in elements.items():
        header = (name.encode(), len(values), b"DS\0\0", 0, len(values), 77)
        data += struct.pack("<64si4siii", *header)
        for value in values:
            text = value.encode() + b"\0" if value else b""
            lengths = (0, len(text), 77, 0) if version == 2 else (len(text) + first, 0, 0, 0)
            data += struct.pack("<4i", *lengths) + text + b"\0" * (-len(text) % 4)
    return data
