"""Small whole bodies as classic diffusion images: stations of few slices of few pixels."""

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

STUDY_UID = "2.25.77"
STATIONS, SLICES, STEP_MM = 3, 4, 10.0
B_VALUES = (50, 800)
COVERAGE_MM = STATIONS * SLICES * STEP_MM
_ROWS = 6


def diffusion_image(station, slice_number, b, *, shift_mm=0.0, study_uid=STUDY_UID):
    """One slice; a series for each station and b-value, no gap and no overlap between stations."""
    data_set = _image(f"{study_uid}.{1000 * (1 + station) + b}", study_uid)
    number = 1 + station * 100 + slice_number
    data_set.SOPInstanceUID = f"{data_set.SeriesInstanceUID}.{number}"
    data_set.InstanceNumber = number
    data_set.ImageType = ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"]
    data_set.DiffusionBValue = float(b)
    data_set.DiffusionDirectionality = "ISOTROPIC" if b > 10 else "NONE"
    z_mm = (station * SLICES + slice_number) * STEP_MM + shift_mm
    data_set.ImagePositionPatient = [0.0, 0.0, z_mm]
    data_set.AcquisitionNumber = 1 + station
    pixels = ((number * 7 + k * b) % 1000 for k in range(_ROWS * _ROWS))
    data_set.PixelData = b"".join(value.to_bytes(2, "little") for value in pixels)
    return data_set


def plain_image(number, study_uid=STUDY_UID):
    """One slice of a series that is no diffusion, beside the stations."""
    data_set = _image(f"{study_uid}.9", study_uid)
    data_set.SOPInstanceUID = f"{data_set.SeriesInstanceUID}.{number}"
    data_set.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    data_set.ImagePositionPatient = [0.0, 0.0, number * STEP_MM]
    data_set.PixelData = bytes(2 * _ROWS * _ROWS)
    return data_set


def whole_body(stations=STATIONS, b_values=B_VALUES, slices=SLICES, study_uid=STUDY_UID):
    """Every image of the body, station by station."""
    return [
        diffusion_image(station, number, b, study_uid=study_uid)
        for station in range(stations)
        for b in b_values
        for number in range(slices)
    ]


def write_images(images, folder):
    """Write each as a DICOM file; return the paths in the same order."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for image in images:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = image.SOPClassUID
        meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.file_meta = meta
        path = folder / f"{image.SOPInstanceUID}.dcm"
        image.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def _image(series_uid, study_uid):
    data_set = Dataset()
    data_set.SOPClassUID = MRImageStorage
    data_set.StudyInstanceUID, data_set.SeriesInstanceUID = study_uid, series_uid
    data_set.FrameOfReferenceUID = f"{study_uid}.100"
    data_set.SeriesNumber = int(series_uid.rsplit(".", 1)[1])
    data_set.SeriesDescription = "ep2d_diff"
    data_set.PatientName, data_set.PatientID = "CANARY^SYNTHETIC", "CANARY-4711"
    data_set.Modality, data_set.Manufacturer = "MR", "SYNTHETIC"
    data_set.PatientPosition = "HFS"
    data_set.EchoTime = 60.0
    data_set.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data_set.PixelSpacing = [4.0, 4.0]
    data_set.Rows = data_set.Columns = _ROWS
    data_set.BitsAllocated = data_set.BitsStored = 16
    data_set.HighBit = 15
    data_set.PixelRepresentation = 0
    data_set.SamplesPerPixel = 1
    data_set.PhotometricInterpretation = "MONOCHROME2"
    return data_set
