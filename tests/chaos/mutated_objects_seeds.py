"""Sound objects to damage: every class that is read or set aside, in every encoding that is taken.

Small ones, so that a hundred thousand mutants fit into minutes.
"""

from io import BytesIO

import numpy as np
from pydicom import dcmread, dcmwrite
from pydicom.encaps import encapsulate
from pydicom.pixels.utils import compress
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from tests.dicom_objects.reading.forms import (
    classic,
    enhanced,
    frame_groups,
    image,
    item,
    siemens_mosaic,
)

SEG = "1.2.840.10008.5.1.4.1.1.66.4"
SR = "1.2.840.10008.5.1.4.1.1.88.34"
_PIXELS = (np.add.outer(np.arange(40) ** 2, np.arange(48) * 7) % 601).astype(np.uint16)


def seeds() -> dict[str, bytes]:
    """Return whole files by name."""
    plain = {
        "classic": diffusion(),
        "enhanced": enhanced_diffusion(),
        "mosaic": siemens_mosaic(np.stack([_PIXELS] * 4), (0.0, 0.0, 1.0)),
        "seg": segmentation(),
        "sr": report(),
    }
    files = {}
    for name, data_set in plain.items():
        for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian):
            files[f"{name} {syntax.name}"] = written(data_set, syntax)
    files["classic deflated"] = written(diffusion(), DeflatedExplicitVRLittleEndian)
    for syntax in (RLELossless, JPEG2000Lossless, JPEGLSLossless):
        for name in ("classic", "enhanced"):
            files[f"{name} {syntax.name}"] = compressed(plain[name], syntax)
    return files


def diffusion():
    """A trace image of a classic series."""
    data_set = classic(_PIXELS)
    data_set.InstanceNumber = 12
    data_set.DiffusionBValue, data_set.DiffusionDirectionality = 800.0, "ISOTROPIC"
    data_set.PatientName, data_set.PatientID = "CANARY^SYNTHETIC", "CANARY-4711"
    data_set.SpecificCharacterSet = "ISO_IR 100"
    data_set.SeriesDescription = "ep2d_diff"
    data_set.ReferencedImageSequence = [item(ReferencedSOPInstanceUID="1.2.3.4")]
    block = data_set.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0C, "IS", 800)
    return data_set


def enhanced_diffusion():
    """Four frames of two b-values."""
    groups = [frame_groups(5.0 * (k // 2), 800.0 * (k % 2), (1.0, 0.0, 0.0)) for k in range(4)]
    return enhanced(np.stack([_PIXELS + k for k in range(4)]), groups)


def segmentation():
    """The shape of a SEG: sequences of sequences, frames of single bits."""
    data_set = image(np.zeros((2, 16, 16), np.uint8), SEG)
    data_set.Modality, data_set.BitsAllocated, data_set.BitsStored = "SEG", 1, 1
    data_set.HighBit, data_set.PixelData = 0, bytes(64)
    code = item(CodeValue="272673000", CodingSchemeDesignator="SCT", CodeMeaning="Bone")
    data_set.SegmentSequence = [
        item(SegmentNumber=1, SegmentLabel="Bone", SegmentedPropertyTypeCodeSequence=[code])
    ]
    data_set.PerFrameFunctionalGroupsSequence = [
        item(PlanePositionSequence=[item(ImagePositionPatient=[0.0, 0.0, z])]) for z in (0.0, 5.0)
    ]
    return data_set


def report():
    """The shape of an SR: a tree of content items."""
    data_set = image(np.zeros((2, 2), np.uint8), SR)
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"):
        delattr(data_set, keyword)
    data_set.Modality = "SR"
    leaf = item(ValueType="TEXT", TextValue="synthetic", RelationshipType="CONTAINS")
    for _ in range(5):
        leaf = item(ValueType="CONTAINER", RelationshipType="CONTAINS", ContentSequence=[leaf])
    data_set.ValueType, data_set.ContentSequence = "CONTAINER", [leaf, leaf]
    return data_set


def written(data_set, syntax) -> bytes:
    """Return a file in one of the encodings without compressed pixels."""
    copy = dcmread(_file(data_set))
    copy.file_meta.TransferSyntaxUID = syntax
    for _ in copy.iterall():  # values as such: raw bytes would keep their old order
        pass
    if syntax == ExplicitVRBigEndian and copy.get("BitsAllocated") == 16:
        copy.PixelData = np.frombuffer(copy.PixelData, "<u2").astype(">u2").tobytes()
    stream = BytesIO()
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    dcmwrite(stream, copy, implicit_vr=implicit, little_endian=little, enforce_file_format=True)
    return stream.getvalue()


def _file(data_set) -> BytesIO:
    """Write an object under one UID, so that equal numbers give equal bytes."""
    data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = "2.25.4711"
    stream = BytesIO()
    data_set.save_as(stream, enforce_file_format=True)
    stream.seek(0)
    return stream


def compressed(data_set, syntax) -> bytes:
    """Return a file with compressed pixels; the data set stays as it is."""
    copy = dcmread(_file(data_set))
    compress(copy, syntax, generate_instance_uid=False)
    return _file(copy).getvalue()


def encapsulated(fragments, syntax, **changes) -> bytes:
    """Return a trace image whose pixel data are these fragments."""
    data_set = diffusion()
    for keyword, value in changes.items():
        setattr(data_set, keyword, value)
    data_set.PixelData = encapsulate(list(fragments))
    data_set["PixelData"].VR = "OB"
    data_set["PixelData"].is_undefined_length = True
    data_set.file_meta.TransferSyntaxUID = syntax
    return _file(data_set).getvalue()
