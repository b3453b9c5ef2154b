"""The tiny acquisition in the forms that scanners send it, built by hand from the standard.

Each function writes one station and returns the source that a reader should report for it. What
results are checked against is in the files: nothing here goes through Osteon's own scanner.
"""

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    LegacyConvertedEnhancedMRImageStorage,
    MRImageStorage,
    generate_uid,
)

from dicom_objects.reading.records import DiffusionStudy, SourceImage, StationSource
from tests.dicom_objects.conftest import make_acquisition

DIRECTIONS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
STUDY_UID = generate_uid(entropy_srcs=["a study in every form"])
FRAME_UID = generate_uid(entropy_srcs=["its frame of reference"])


def make_study(write, folder):
    """Write three stations with `write` and describe them as a reader should."""
    stations = make_acquisition().stations
    sources = []
    for station in stations:
        place = Path(folder) / station.name
        place.mkdir(parents=True)
        sources.append(StationSource(station.name, write(station, place)))
    return DiffusionStudy(str(STUDY_UID), stations, tuple(sources), ())


def enhanced_per_b(station, folder, sop_class=EnhancedMRImageStorage):
    """Siemens XA: one object a b-value; geometry per frame; the frames run from the head."""
    found = {}
    for b, image in station.volume.images.items():
        slices = list(reversed(range(len(image))))
        frames = [frame(station, k, b, "ISOTROPIC") for k in slices]
        path = folder / f"b{b:g}.dcm"
        write_object(path, enhanced(station, sop_class, frames, image[slices]))
        numbers = {k: n for n, k in enumerate(slices, start=1)}
        found[b] = tuple(SourceImage(path, numbers[k]) for k in range(len(image)))
    return found


def legacy_converted(station, folder):
    return enhanced_per_b(station, folder, LegacyConvertedEnhancedMRImageStorage)


def enhanced_all_in_one(station, folder):
    """Philips: all slices, b-values, directions and isotropic frames in one object, shuffled."""
    rows = []
    for b, image in station.volume.images.items():
        for k in range(len(image)):
            rows += [(k, b, "DIRECTIONAL", g, image[k]) for g in DIRECTIONS]
            rows.append((k, b, "ISOTROPIC", None, image[k]))
    np.random.default_rng(5).shuffle(rows)
    frames = [frame(station, k, b, kind, g) for k, b, kind, g, _ in rows]
    path = folder / "all.dcm"
    write_object(path, enhanced(station, EnhancedMRImageStorage, frames, [r[4] for r in rows]))
    numbers = {(k, b): n for n, (k, b, kind, _, _) in enumerate(rows, 1) if kind == "ISOTROPIC"}
    return {
        b: tuple(SourceImage(path, numbers[k, b]) for k in range(len(image)))
        for b, image in station.volume.images.items()
    }


def mosaic(station, folder):
    """Siemens or UIH: one file a volume with all slices as tiles, 3 by 3 for 8 slices."""
    found = {}
    for b, image in station.volume.images.items():
        n, rows, columns = image.shape
        side = int(np.ceil(np.sqrt(n)))
        whole = np.zeros((side * rows, side * columns), np.float32)
        for k, tile in enumerate(image):
            r, c = divmod(k, side)
            whole[r * rows : (r + 1) * rows, c * columns : (c + 1) * columns] = tile
        header = top_level(station, MRImageStorage, f"b{b:g}")
        header.ImageType = ["ORIGINAL", "PRIMARY", "DIFFUSION", "TRACEW", "MOSAIC"]
        header.ImagePositionPatient = [-400.0, -400.0, 7.0]  # of the mosaic: of no slice
        header.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
        header.PixelSpacing = list(station.volume.geometry.spacing_mm[1:])
        header.SliceThickness = 4.0
        path = folder / f"b{b:g}.dcm"
        write_object(path, pixels(header, whole))
        found[b] = (SourceImage(path),) * n
    return found


FORMS = {f.__name__: f for f in (enhanced_per_b, legacy_converted, enhanced_all_in_one, mosaic)}


def top_level(station, sop_class, what):
    header = pydicom.Dataset()
    header.SOPClassUID = sop_class
    header.SOPInstanceUID = generate_uid(entropy_srcs=[station.name, sop_class, what])
    header.StudyInstanceUID = STUDY_UID
    header.SeriesInstanceUID = generate_uid(entropy_srcs=[station.name, sop_class, "series"])
    header.FrameOfReferenceUID = FRAME_UID
    header.PositionReferenceIndicator = ""
    header.SpecificCharacterSet = "ISO_IR 100"
    header.PatientName = "Müller^José"
    header.StudyDescription = "Ganzkörper"
    header.PatientID = "FORMS-1"
    header.PatientBirthDate = "19700101"
    header.PatientSex = "F"
    header.StudyDate, header.StudyTime, header.StudyID = "20260201", "101500", "7"
    header.AccessionNumber = "ACC7"
    header.ReferringPhysicianName = ""
    header.Modality = "MR"
    header.Manufacturer = "Maker"
    header.ManufacturerModelName = "Model"
    header.SeriesNumber = 5
    return header


def enhanced(station, sop_class, frames, images):
    header = top_level(station, sop_class, f"{len(frames)} {frame_b(frames[0]):g}")
    header.ImageType = ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"]
    header.NumberOfFrames = len(frames)
    measures = pydicom.Dataset()
    measures.PixelSpacing = list(station.volume.geometry.spacing_mm[1:])
    measures.SliceThickness = 4.0  # the slices are 5 mm apart
    orientation = pydicom.Dataset()
    orientation.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    shared = pydicom.Dataset()
    shared.PixelMeasuresSequence = [measures]
    shared.PlaneOrientationSequence = [orientation]
    header.SharedFunctionalGroupsSequence = [shared]
    header.PerFrameFunctionalGroupsSequence = frames
    return pixels(header, np.stack(images))


def frame(station, k, b, directionality, gradient=None):
    position = pydicom.Dataset()
    x, y, z = station.volume.geometry.to_patient_mm((k, 0, 0))
    # As scanners write it: digits that the geometry of the whole stack does not have.
    position.ImagePositionPatient = [f"{x:.8f}", f"{y + 3e-5:.8f}", f"{z - 2e-5:.8f}"]
    diffusion = pydicom.Dataset()
    diffusion.DiffusionBValue = b
    diffusion.DiffusionDirectionality = directionality
    if gradient is not None:
        direction = pydicom.Dataset()
        direction.DiffusionGradientOrientation = list(gradient)
        diffusion.DiffusionGradientDirectionSequence = [direction]
    groups = pydicom.Dataset()
    groups.PlanePositionSequence = [position]
    groups.MRDiffusionSequence = [diffusion]
    return groups


def frame_b(groups):
    return float(groups.MRDiffusionSequence[0].DiffusionBValue)


def pixels(header, array):
    header.Rows, header.Columns = array.shape[-2:]
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit = 15
    header.PixelRepresentation = 0
    header.PixelData = np.rint(array).astype("<u2").tobytes()
    return header


def write_object(path, header):
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.save_as(path, enforce_file_format=True)
