import pytest
from pydicom import dcmread
from pydicom.uid import JPEG2000, UID, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from dicom_node import contexts
from dicom_node.errors import UnreadableHeader
from dicom_node.header import InstanceHeader
from dicom_node.part10 import IMPLEMENTATION_CLASS_UID, file_prefix, parse_meta, read_meta
from dicom_node.receive import accepted_contexts
from dicom_node.uid import Uid
from dicom_objects import uids

LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000)
HEADER = InstanceHeader(
    sop_class_uid=Uid("1.2.840.10008.5.1.4.1.1.4"),
    sop_instance_uid=Uid("1.2.3.4"),
    study_uid=Uid("1.2.3"),
    series_uid=Uid("1.2.3.1"),
    transfer_syntax_uid=Uid("1.2.840.10008.1.2.1"),
)
PREFIX = file_prefix(HEADER.sop_class_uid, HEADER.sop_instance_uid, HEADER.transfer_syntax_uid)


def test_what_we_write_before_the_data_set_is_read_by_pydicom_and_by_us(tmp_path):
    path = tmp_path / "x.dcm"
    path.write_bytes(PREFIX + b"\x08\x00\x60\x00CS\x02\x00MR")
    meta = dcmread(path).file_meta
    assert meta.MediaStorageSOPClassUID == HEADER.sop_class_uid
    assert meta.MediaStorageSOPInstanceUID == HEADER.sop_instance_uid
    assert meta.TransferSyntaxUID == HEADER.transfer_syntax_uid
    assert meta.FileMetaInformationVersion == b"\x00\x01"
    assert meta.FileMetaInformationGroupLength == len(PREFIX) - 144
    assert dcmread(path).Modality == "MR"
    ours = read_meta(path)
    assert ours.offset == len(PREFIX)
    assert ours.sop_instance_uid == HEADER.sop_instance_uid


def test_files_of_pydicom_are_read(instances, tmp_path):
    path = instances.write_file(instances.mr_image(), tmp_path)
    meta = read_meta(path)
    assert path.read_bytes()[meta.offset :] == instances.data_set_bytes(path)
    assert meta.sop_instance_uid == "1.2.3.10.1.1"


@pytest.mark.parametrize("length", range(0, 250, 9))
def test_a_file_cut_anywhere_in_its_meta_information_is_unreadable(length):
    whole = PREFIX
    end = whole.index(HEADER.transfer_syntax_uid.encode())
    with pytest.raises(UnreadableHeader):
        parse_meta(whole[: min(length, end)])


def test_one_implementation_has_one_uid():
    assert IMPLEMENTATION_CLASS_UID == uids.IMPLEMENTATION_CLASS_UID


def test_the_tables_fit_one_association_and_hold_no_bomb():
    accepted = accepted_contexts()
    assert len(accepted) == 1 + len(contexts.STORAGE_CLASSES) <= 128
    assert len({c.uid for c in contexts.STORAGE_CLASSES}) == len(contexts.STORAGE_CLASSES)
    syntaxes = {s.uid for s in contexts.TRANSFER_SYNTAXES}
    assert "1.2.840.10008.1.2.1.99" not in syntaxes
    for context in accepted:
        assert set(context.transfer_syntax) <= syntaxes


@pytest.mark.parametrize("storage", contexts.STORAGE_CLASSES)
def test_every_class_in_the_table_is_in_the_standard(storage):
    known = UID(storage.uid)
    if storage.name == "Label Map Segmentation":  # newer than pydicom's dictionary
        assert known.name == storage.uid
        return
    assert known.type == "SOP Class"
    assert known.name.startswith(storage.name.removesuffix(" Image"))


@pytest.mark.parametrize("syntax", contexts.TRANSFER_SYNTAXES)
def test_every_encoding_in_the_table_is_in_the_standard(syntax):
    known = UID(syntax.uid)
    assert known.type == "Transfer Syntax"
    assert known.is_compressed is syntax.compressed
    assert syntax.compressed or syntax.name.startswith(known.name)
    assert syntax.lossy is (syntax.uid in LOSSY)
