"""Small synthetic objects of many forms, in a spool and among results."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from dicom_node.accepted import AcceptedFiles
from dicom_node.header import read_header
from dicom_node.part10 import parse_meta
from dicom_node.spool import Spool
from jobs.result import ResultFile
from jobs.study import input_digest
from service.api.site import Site

MR, SEG, PDF = (
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.66.4",
    "1.2.840.10008.5.1.4.1.1.104.1",
)
ROWS, COLUMNS = 6, 5


def image(series, number, **values):
    """An MR image whose pixels say which it is."""
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 100"
    made.SOPClassUID = MR
    made.SOPInstanceUID = f"{series}.{number}"
    made.StudyInstanceUID = series.rsplit(".", 1)[0]
    made.SeriesInstanceUID = series
    made.StudyDate, made.StudyTime = "20260131", "093015"
    made.AccessionNumber = "ACC1"
    made.PatientName, made.PatientID = "Müller^Jürgen", "PAT-1"
    made.PatientBirthDate, made.PatientSex = "19500102", "M"
    made.StudyID, made.StudyDescription = "S1", "Whole body"
    made.Modality, made.SeriesDescription = "MR", "b900"
    made.SeriesNumber, made.InstanceNumber = int(series.rsplit(".", 1)[1]), number
    made.Rows, made.Columns = ROWS, COLUMNS
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit = 15
    made.PixelRepresentation = 0
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.PixelData = pixels(number).tobytes()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def pixels(number):
    return (np.arange(ROWS * COLUMNS, dtype=np.uint16) + 256 * number).reshape(ROWS, COLUMNS)


def write(made, path, syntax=ExplicitVRLittleEndian):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = made.SOPClassUID
    meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    made.file_meta = meta
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path, enforce_file_format=True)
    return path


def big_endian(series, number):
    made = image(series, number)
    made.PixelData = pixels(number).astype(">u2").tobytes()
    made["PixelData"].VR = "OW"
    return made


def compressed(series, number, n_frames=3):
    """Fragments that stand for JPEG-LS: nobody here decodes them."""
    made = image(series, number, NumberOfFrames=n_frames)
    made.PixelData = encapsulate([fragment(k) for k in range(1, n_frames + 1)], has_bot=True)
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return made


def fragment(k):
    return bytes([k]) * (10 + 2 * k)


def bits(n_frames):
    """Frames of single bits, 35 each: the second begins inside a byte."""
    rng = np.random.default_rng(3)
    return rng.integers(0, 2, (n_frames, 35), np.uint8)


def segmentation(series, number, n_frames=3):
    made = image(
        series, number, SOPClassUID=SEG, Modality="SEG", SeriesDescription="RESEARCH disease"
    )
    made.NumberOfFrames, made.Rows, made.Columns = n_frames, 7, 5
    made.BitsAllocated = made.BitsStored = 1
    made.HighBit = 0
    packed = np.packbits(bits(n_frames).ravel(), bitorder="little").tobytes()
    made.PixelData = packed + b"\0" * (len(packed) % 2)
    made["PixelData"].VR = "OB"
    return made


def document(series, number):
    made = image(series, number, SOPClassUID=PDF, Modality="DOC", SeriesDescription="RESEARCH")
    for keyword in ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelData"):
        delattr(made, keyword)
    made.EncapsulatedDocument = b"%PDF-1.7 " + bytes(range(256)) * 20
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    item = Dataset()
    item.ReferencedSOPInstanceUID = "1.2.3"
    item.EncapsulatedDocument = bytes(2000)
    made.SourceInstanceSequence = [item]
    return made


@dataclass(frozen=True)
class Holdings:
    """What a site holds; `files` by SOP Instance UID."""

    site: Site
    files: dict[str, Path]
    spool: Spool

    def receive(self, made, syntax=ExplicitVRLittleEndian):
        """Accept one object as the node does."""
        path = write(made, self.spool.root.parent / "sent" / f"{made.SOPInstanceUID}.dcm", syntax)
        content = path.read_bytes()
        meta = parse_meta(content)
        data_set = content[meta.offset :]
        header = read_header(data_set, meta.transfer_syntax_uid)
        with self.spool.claim():
            stored = self.spool.store(header, data_set)
        self.site.store.record_instances([stored.instance])
        self.files[made.SOPInstanceUID] = AcceptedFiles(self.spool.root).path(stored.instance)
        return stored.instance

    def measure(self, study_uid, *made):
        """Have a job make these objects."""
        store = self.site.store
        store.open_revision(study_uid, input_digest(store.instances(study_uid)))
        job = store.claim("test", 60.0)
        kept = []
        for number, one in enumerate(made):
            name = f"{job.id}/result_{number}.dcm"
            path = write(one, self.site.results_dir / name)
            self.files[one.SOPInstanceUID] = path
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            file = ResultFile("seg", f"result_{number}.dcm", "application/dicom", name, digest)
            uids = {
                "sop_class_uid": one.SOPClassUID,
                "sop_instance_uid": one.SOPInstanceUID,
                "series_uid": one.SeriesInstanceUID,
            }
            kept.append(replace(file, **uids))
        store.keep_results(job, kept)
        store.deliver(job)
        return job


STUDY, OTHER = "1.2.3.100", "1.2.3.200"
FORMS = {
    f"{STUDY}.1.1": ExplicitVRLittleEndian,
    f"{STUDY}.1.2": ExplicitVRLittleEndian,
    f"{STUDY}.2.1": ImplicitVRLittleEndian,
    f"{STUDY}.3.1": ExplicitVRBigEndian,
    f"{STUDY}.4.1": JPEGLSLossless,
    f"{STUDY}.5.1": RLELossless,
}


def fill(holdings):
    """Two studies: one of every form and measured, one of a single image of another patient."""
    receive = holdings.receive
    receive(image(f"{STUDY}.1", 1))
    receive(image(f"{STUDY}.1", 2, DataSetTrailingPadding=bytes(6)))
    receive(image(f"{STUDY}.2", 1, SeriesDescription="ADC"), ImplicitVRLittleEndian)
    receive(big_endian(f"{STUDY}.3", 1), ExplicitVRBigEndian)
    receive(compressed(f"{STUDY}.4", 1), JPEGLSLossless)
    packed = image(f"{STUDY}.5", 1)
    packed.file_meta = FileMetaDataset()
    packed.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    packed.compress(RLELossless, generate_instance_uid=False)
    receive(packed, RLELossless)
    other = {
        "PatientName": "Yamada^Tarou=山田^太郎",
        "SpecificCharacterSet": ["", "ISO 2022 IR 87"],
    }
    more = {"PatientID": "PAT-2", "StudyDate": "20260201", "AccessionNumber": "ACC2"}
    receive(image(f"{OTHER}.1", 1, **other, **more))
    series = (f"{STUDY}.90", f"{STUDY}.91")
    holdings.measure(STUDY, segmentation(series[0], 1), document(series[1], 1))
    return holdings
