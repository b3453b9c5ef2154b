"""The images that are sent: one of the phantom's, at a scanner's size, under as many UIDs."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from pydicom.filewriter import dcmwrite

from benchmarks.front_door.dimse import EXPLICIT_LE, MR_IMAGE
from dicom_node.part10 import file_prefix
from dicom_node.uid import Uid
from dicom_objects.scanner.study import write_study
from phantom.acquisition import Protocol, acquire
from phantom.patient import make_patient

_COARSE = Protocol(
    b_values=(50.0, 900.0), n_stations=2, in_plane_mm=12.0, slice_mm=20.0, matrix=(32, 44)
)
_SIDE = 274
"""Pixels of a row and a column: 153 KB an image."""
_PLACES = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_FIRST = 10**30  # so that every UID has the same length
_NO_STUDY = 10**6
"""Its UIDs stand in the head that all others are made from."""


@dataclass(frozen=True)
class Image:
    """One instance to send."""

    uid: str
    """Its SOP Instance UID."""
    head: bytes
    """The data set up to the pixels' values, in Explicit VR Little Endian."""


@dataclass(frozen=True)
class Images:
    """As many instances as wanted, of one length, with the same pixels."""

    head: bytes
    uids: tuple[str, ...]
    pixels: bytes

    @property
    def size_bytes(self) -> int:
        """The length of each data set."""
        return len(self.head) + len(self.pixels)

    def image(self, study: int, number: int) -> Image:
        """Return one instance; the same numbers give the same one again."""
        new = (_uid(study, number + 2), _uid(study, 0), _uid(study, 1))
        head = self.head
        for old, uid in zip(self.uids, new, strict=True):
            head = head.replace(old.encode(), uid.encode())
        return Image(new[0], head)

    def write(self, folder: Path, study: int, n_images: int) -> None:
        """Write the first instances of one study as files into a new folder."""
        folder.mkdir()
        for image in self.study(study, n_images):
            prefix = file_prefix(Uid(MR_IMAGE), Uid(image.uid), Uid(EXPLICIT_LE))
            (folder / image.uid).write_bytes(prefix + image.head + self.pixels)

    def study(self, study: int, n_images: int) -> list[Image]:
        """Return the first instances of one study."""
        return [self.image(study, number) for number in range(n_images)]


def make_images() -> Images:
    """Take a header from the phantom's scanner, which writes as a real one does."""
    with tempfile.TemporaryDirectory() as folder:
        scan = acquire(make_patient(0), _COARSE)
        path = write_study(scan, Path(folder), distractors=False)[0]
        data_set = pydicom.dcmread(path)
    data_set.Rows = data_set.Columns = _SIDE
    pixels = np.random.default_rng(0).integers(0, 4096, (_SIDE, _SIDE), "uint16").tobytes()
    data_set.PixelData = pixels
    for place, keyword in enumerate(_PLACES):
        setattr(data_set, keyword, _uid(_NO_STUDY, place))
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    written = BytesIO()
    dcmwrite(written, data_set, enforce_file_format=True)
    content = written.getvalue()
    begin = 144 + int.from_bytes(content[140:144], "little")  # PS3.10 7.1: group 0002's length
    return Images(
        head=content[begin : -len(pixels)],
        uids=tuple(_uid(_NO_STUDY, place) for place in range(len(_PLACES))),
        pixels=pixels,
    )


def _uid(study: int, number: int) -> str:
    return f"2.25.{_FIRST + study * 10**6 + number}"
