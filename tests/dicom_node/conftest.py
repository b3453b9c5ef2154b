"""Small synthetic instances, real sockets on loopback, real peers (DCMTK)."""

import os
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from dicom_node.receive import Receiver, ReceiverSettings
from dicom_node.spool import Spool

MR = "1.2.840.10008.5.1.4.1.1.4"
# Absolute: a virtual environment with pynetdicom has scripts of the same names.
DCMTK = Path("/usr/bin")
FAST = {**os.environ, "TCP_NODELAY": "1"}


def mr_image(number=1, study="1.2.3.10", series="1.2.3.10.1", **values):
    """A synthetic MR image of 4 x 4 pixels."""
    data_set = Dataset()
    data_set.SOPClassUID = MR
    data_set.SOPInstanceUID = f"{series}.{number}"
    data_set.StudyInstanceUID = study
    data_set.SeriesInstanceUID = series
    data_set.PatientName = "CANARY^SYNTHETIC"
    data_set.PatientID = "CANARY-4711"
    data_set.Modality = "MR"
    data_set.InstanceNumber = number
    data_set.Rows = data_set.Columns = 4
    data_set.BitsAllocated = data_set.BitsStored = 16
    data_set.HighBit = 15
    data_set.PixelRepresentation = 0
    data_set.SamplesPerPixel = 1
    data_set.PhotometricInterpretation = "MONOCHROME2"
    data_set.PixelData = bytes(range(32))
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    return data_set


def write_file(data_set, folder, syntax=ExplicitVRLittleEndian):
    """Write a DICOM file with file meta information; return its path."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    data_set.file_meta = meta
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{data_set.SOPInstanceUID}.dcm"
    data_set.save_as(path, enforce_file_format=True)
    return path


def data_set_bytes(path):
    """The bytes after the file meta information, found by its group length (PS3.10 7.1)."""
    content = Path(path).read_bytes()
    return content[144 + int.from_bytes(content[140:144], "little") :]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, seconds=20.0):
    """Wait for something to become true; False when it did not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path / "spool", floor_bytes=0)


@pytest.fixture
def receiving(spool):
    """Start receivers; each stops at the end of its block."""

    @contextmanager
    def start(on_stored=lambda _instance: None, spool=spool, **settings):
        settings = replace(ReceiverSettings(port=0), **settings)
        receiver = Receiver(settings, spool, on_stored)
        receiver.start()
        try:
            yield receiver
        finally:
            receiver.stop()

    return start


@pytest.fixture
def storescu():
    """Send files with DCMTK; return its exit status and everything it printed."""

    def run(port, *paths, called="OSTEON", calling="STORESCU", options=()):
        command = [DCMTK / "storescu", "-v", "-aec", called, "-aet", calling, *options]
        done = subprocess.run(
            [*command, "127.0.0.1", str(port), *paths],
            capture_output=True,
            text=True,
            timeout=60,
            env=FAST,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture
def storescp(tmp_path):
    """Run DCMTK's storescp, which writes what it receives bit by bit as it came."""
    folder = tmp_path / "storescp"
    folder.mkdir()

    @contextmanager
    def start(*options):
        port = free_port()
        command = [DCMTK / "storescp", "-od", folder, "-aet", "PACS", *options, str(port)]
        with subprocess.Popen(command, env=FAST) as process:
            try:
                assert until(lambda: _listens(port))
                yield port, folder
            finally:
                process.kill()

    return start


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def instances():
    """The functions above, for tests that cannot import this file."""

    class Functions:
        mr_image = staticmethod(mr_image)
        write_file = staticmethod(write_file)
        data_set_bytes = staticmethod(data_set_bytes)
        free_port = staticmethod(free_port)
        until = staticmethod(until)

    return Functions
