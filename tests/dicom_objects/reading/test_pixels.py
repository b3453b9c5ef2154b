"""Every lossless encoding gives the same values; lossy and damaged ones are told apart."""

import hashlib

import gdcm
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from dicom_objects.reading.pixels import UndecodablePixels, load_image
from tests.dicom_objects.reading.forms import (
    SCANNERS,
    classic,
    enhanced,
    frame_groups,
    needs_scanners,
    read_headers,
    read_one,
)

# 64 rows of 72, a pattern in one corner; also what the High-Throughput codestream below holds.
STORED = (np.add.outer(np.arange(64) ** 2, np.arange(72) * 7) % 601).astype(np.uint16)
STORED[8:, :] = STORED[7, :]
STORED[:, 10:] = STORED[:, 9:10]
# Encoded by imagecodecs 2026.3.6 (OpenJPH), which reads it back equal.
HIGH_THROUGHPUT = bytes.fromhex(
    "ff4fff510029400000000048000000400000000000000000000000480000004000000000000000000001"
    "0f0101ff50000800020000000aff52000c00020001000504044001ff5c00132088909090909090909090"
    "909090888888ff64001700014f70656e4a50482056657220302e32362e332eff90000a00000000013200"
    "01ff93c0002d1093ff28ff43fe03fe53ff08010800f9b600c000134000138040e0008b740034a50024f6"
    "3500c000151000055034a5f46fc00b750038c61838001e926a3700c00015900005a4a5a5a5a57f10984c"
    "2692b8001111111111111111111fc018beb5aad0b900c0001694000174c0566badb5d6bffe5fafd7ebf5"
    "fafd7e2b7d00c7e1388ee3388ee3388ee3388e23499224499224f907ff6b5ad6b5ad6720b10b10b10b16"
    "b101c0002e8600017aa0566badb5d65a6badb5d6dfff7c5fafd7ebf5fafd7ebf5fafd7ebf5fafd7e8b77"
    "01ff7fff7fff7fff7fff1f0cc3300cc3300cc3300cc3300cc3300cc3300cc3300cc3300cc3f07fff7000"
    "000000120209202092020920209202092020920209202092031ca952a54a952a54a952a54a952a54adbf"
    "02ffd9"
)


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.uint8])
def test_uncompressed_values_and_their_scale(tmp_path, dtype):
    stored = (STORED % 251).astype(dtype)
    if dtype is np.int16:
        stored -= 100
    dataset = classic(stored)
    dataset.RescaleSlope, dataset.RescaleIntercept = 0.5, -3
    frames = read_one(dataset, tmp_path)
    assert frames[0].pixels.offset is not None
    np.testing.assert_array_equal(load_image(frames)[0], stored * 0.5 - 3.0)


@pytest.mark.parametrize(("kind", "value"), [(np.uint16, 0x0FFF), (np.int16, -1)])
def test_bits_above_those_stored_do_not_count(tmp_path, kind, value):
    dataset = classic(np.full((4, 4), 0x3FFF, kind))
    dataset.BitsStored, dataset.HighBit = 12, 11
    frames = read_one(dataset, tmp_path)
    assert set(load_image(frames).ravel()) == {value}


def implicit(dataset, path):
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset.save_as(path, implicit_vr=True, little_endian=True)


def big_endian(dataset, path):
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    dataset.PixelData = dataset.pixel_array.byteswap().tobytes()
    pydicom.dcmwrite(path, dataset, implicit_vr=False, little_endian=False, force_encoding=True)


def deflated(dataset, path):
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path)


def by_plugin(syntax, plugin):
    def write(dataset, path):
        dataset.compress(syntax, encoding_plugin=plugin, generate_instance_uid=False)
        dataset.save_as(path)

    return write


def by_gdcm(kind):
    def write(dataset, path):
        dataset.save_as(path)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(kind))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(path))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()

    return write


def high_throughput(dataset, path):
    dataset.file_meta.TransferSyntaxUID = HTJ2KLossless
    dataset.PixelData = encapsulate([HIGH_THROUGHPUT])
    dataset["PixelData"].VR = "OB"
    dataset.save_as(path)


ENCODINGS = {
    ImplicitVRLittleEndian: implicit,
    ExplicitVRBigEndian: big_endian,
    DeflatedExplicitVRLittleEndian: deflated,
    RLELossless: by_plugin(RLELossless, "pydicom"),
    JPEGLSLossless: by_plugin(JPEGLSLossless, "pyjpegls"),
    JPEG2000Lossless: by_plugin(JPEG2000Lossless, "pylibjpeg"),
    JPEGLosslessSV1: by_gdcm(gdcm.TransferSyntax.JPEGLosslessProcess14_1),
    JPEGLossless: by_gdcm(gdcm.TransferSyntax.JPEGLosslessProcess14),
    HTJ2KLossless: high_throughput,
}


@pytest.mark.parametrize("syntax", ENCODINGS, ids=lambda uid: UID(uid).name)
def test_every_lossless_syntax_reads_back_equal(tmp_path, syntax):
    path = tmp_path / "a.dcm"
    ENCODINGS[syntax](classic(STORED), path)
    assert pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID == syntax
    frames, _ = read_headers([path])
    assert not frames[0].pixels.lossy
    np.testing.assert_array_equal(load_image(frames)[0], STORED)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_compressed_frames_are_decoded_one_by_one_and_in_any_order(tmp_path, syntax):
    stored = np.stack([STORED, STORED + 1, STORED[::-1], STORED + 2])
    dataset = enhanced(stored, [frame_groups(5.0 * k, 800.0) for k in range(4)])
    ENCODINGS[syntax](dataset, tmp_path / "a.dcm")
    frames, _ = read_headers([tmp_path / "a.dcm"])
    asked = [frames[2], frames[0], frames[3]]
    np.testing.assert_array_equal(load_image(asked), stored[[2, 0, 3]] * 2.0 - 4.0)


@pytest.mark.parametrize(
    ("syntax", "flag"),
    [(JPEGLSNearLossless, None), (JPEGBaseline8Bit, None), (RLELossless, "01")],
)
def test_lossy_compression_is_noted_from_the_syntax_or_the_attribute(tmp_path, syntax, flag):
    dataset = classic(STORED)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.file_meta.TransferSyntaxUID = syntax
    if flag:
        dataset.LossyImageCompression = flag
    frames = read_one(dataset, tmp_path)
    assert frames[0].pixels.lossy
    if not flag:
        with pytest.raises(UndecodablePixels, match=syntax):
            load_image(frames)


def test_an_image_without_pixel_data_has_no_pixels(tmp_path):
    dataset = classic(STORED)
    del dataset.PixelData
    (frame,) = read_one(dataset, tmp_path)
    assert frame.pixels is None
    with pytest.raises(UndecodablePixels, match="no pixel data"):
        load_image([frame])


def test_damaged_and_cut_off_pixels_are_refused(tmp_path):
    path = tmp_path / "a.dcm"
    by_plugin(JPEG2000Lossless, "pylibjpeg")(classic(STORED), path)
    data = bytearray(path.read_bytes())
    data[-300:-20] = b"\0" * 280
    path.write_bytes(data)
    frames, _ = read_headers([path])
    with pytest.raises(UndecodablePixels):
        load_image(frames)
    classic(STORED).save_as(path)
    path.write_bytes(path.read_bytes()[:-50])
    frames, _ = read_headers([path])
    with pytest.raises(UndecodablePixels):
        load_image(frames)


@needs_scanners
@pytest.mark.parametrize("name", ["1", "2", "3", "4", "5", "7", "9"])
def test_one_real_image_in_seven_syntaxes(name):
    path = SCANNERS / "transfer_syntaxes_same_slice" / "ax_asc_35sl" / f"{name}.dcm"
    frames, _ = read_headers([path])
    whole = np.zeros((384, 384), "<u2")
    for frame, tile in zip(frames, load_image(frames), strict=True):
        row, column = frame.pixels.origin
        whole[row : row + 64, column : column + 64] = tile
    assert hashlib.sha256(whole.tobytes()).hexdigest() == (
        "e4943a308aba1b659425d0d0d21e08b38ff690731184b6d7574834b39bccb81a"
    )
