"""What the sender of the receiving benchmarks says is DICOM; what the table makes of figures."""

from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.filereader import read_dataset
from pynetdicom.dimse_messages import C_ECHO_RQ, C_STORE_RQ, C_STORE_RSP, DIMSEMessage
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ, P_DATA_TF

from benchmarks.front_door import dimse
from benchmarks.front_door.association import Association, PeerError
from benchmarks.front_door.images import make_images
from benchmarks.front_door.load import STORESCU, Cost, Idle, Load, hold, send, send_files
from benchmarks.front_door.programs import NULL, RECEIVERS
from benchmarks.front_door.receivers import Place, running
from benchmarks.receive_table import Figures, Round, as_table, ratio
from benchmarks.sizing import filled
from tests.servers import free_port

UID = "1.2.3.4"


@pytest.fixture(scope="module")
def images():
    return make_images()


def _message(*whole):
    """Let pynetdicom read P-DATA-TF PDUs as one message."""
    message = DIMSEMessage()
    for content in whole:
        decoded = P_DATA_TF()
        decoded.decode(content)
        message.decode_msg(decoded.to_primitive())
    return message


def test_the_request_for_an_association_is_read_by_pynetdicom():
    content = dimse.association_request("OSTEON", {1: dimse.VERIFICATION, 3: dimse.MR_IMAGE}, 4096)
    request = A_ASSOCIATE_RQ()
    request.decode(content)
    assert request.encode() == content
    assert request.called_ae_title == "OSTEON"
    found = {c.presentation_context_id: c.abstract_syntax for c in request.presentation_context}
    assert found == {1: dimse.VERIFICATION, 3: dimse.MR_IMAGE}
    assert request.user_information.maximum_length == 4096


def test_a_store_in_parts_is_read_by_pynetdicom(images):
    image = images.image(3, 7)
    data_set = image.head + images.pixels
    command = dimse.store_request(3, image.uid, 70_000)
    heads = dimse.data_headers(3, len(data_set), 16384)
    parts = [head + data_set[begin:end] for head, begin, end in heads]
    assert max(map(len, parts)) == 16384 + dimse.HEADER_BYTES
    message = _message(command, *parts)
    assert isinstance(message, C_STORE_RQ)
    assert message.command_set.AffectedSOPInstanceUID == image.uid
    assert message.command_set.MessageID == 70_000 - 65_536
    assert message.data_set.getvalue() == data_set


def test_an_echo_is_read_by_pynetdicom():
    assert isinstance(_message(dimse.echo_request(1)), C_ECHO_RQ)


def test_the_status_of_pynetdicoms_answer_is_read():
    primitive = C_STORE()
    primitive.AffectedSOPClassUID, primitive.AffectedSOPInstanceUID = dimse.MR_IMAGE, UID
    primitive.MessageIDBeingRespondedTo, primitive.Status = 1, 0xA700
    message = C_STORE_RSP()
    message.primitive_to_message(primitive)
    encoded = P_DATA_TF()
    encoded.from_primitive(next(message.encode_msg(3, 16384)))
    assert dimse.status_of(encoded.encode()[dimse.HEADER_BYTES :]) == 0xA700


def test_images_differ_in_their_uids_only_and_are_whole(images):
    read = [_read(images, study, number) for study, number in ((0, 0), (0, 1), (2, 0))]
    assert len({one.SOPInstanceUID for one in read}) == 3
    assert len({one.StudyInstanceUID for one in read}) == 2
    assert len({one.SeriesInstanceUID for one in read}) == 2
    assert {one.SOPClassUID for one in read} == {dimse.MR_IMAGE}
    assert {one.PixelData for one in read} == {images.pixels}
    assert images.image(2, 0).uid == read[2].SOPInstanceUID


def _read(images, study, number):
    content = images.image(study, number).head + images.pixels
    assert len(content) == images.size_bytes
    return read_dataset(BytesIO(content), is_implicit_VR=False, is_little_endian=True)


def test_a_receiver_that_keeps_nothing_is_loaded_and_held(images, tmp_path):
    with running(RECEIVERS[NULL], Place(free_port(), tmp_path)) as receiver:
        cost = send(receiver, images, [images.study(study, 3) for study in range(2)])
        images.write(tmp_path / "files", 9, 3)
        sent = send_files(receiver, tmp_path / "files")
        idle = hold(receiver, 3, 0.1)
        with receiver.call() as association:
            assert association.accepted == (131072, frozenset({1, 3}))
    assert (cost.load, cost.images) == (Load(2), 6)
    assert (sent.load, sent.images) == (Load(1, STORESCU), 3)
    assert (idle.asked, idle.held) == (3, 3)


def test_a_receiver_that_is_not_there_is_an_error_of_the_peer():
    with pytest.raises(PeerError, match="no connection"):
        Association(free_port(), "ANY-SCP", seconds=1.0)


def test_an_accept_is_read_as_pynetdicom_does_without_contexts_that_were_refused():
    body = bytes(68) + _context(1, 0) + _context(3, 4)
    user = b"\x50\x00\x00\x08" + b"\x51\x00\x00\x04" + (16382).to_bytes(4, "big")
    assert dimse.read_accept(body + user) == (16382, frozenset({1}))
    whole = A_ASSOCIATE_AC()
    whole.decode(dimse.pdu(dimse.ASSOCIATE_AC, b"\x00\x01" + bytes(66) + _context(1, 0) + user))
    assert whole.presentation_context[0].result == 0


def _context(number, result):
    syntax = b"\x40\x00\x00\x11" + b"1.2.840.10008.1.2"
    return (
        b"\x21\x00" + (4 + len(syntax)).to_bytes(2, "big") + bytes([number, 0, result, 0]) + syntax
    )


def _round(receiver, rates, idle=None):
    costs = [Cost(Load(n), 100, 100.0 / rate, 1.5, 0.1) for n, rate in rates.items()]
    return Round(receiver, costs, 50 * 10**6, idle)


def _figures(*rounds):
    machine = {"cores": 2, "load": 0.1, "image_bytes": 153_000, "fsync_ms": 0.5, "measured": "now"}
    return Figures(machine, {one.receiver: "1.0" for one in rounds}, rounds)


def test_ratios_are_of_the_same_round():
    rounds = [_round("Osteon", {1: 100}), _round("Orthanc", {1: 50})]
    rounds += [_round("Osteon", {1: 30}), _round("Orthanc", {1: 20})]
    rounds += [_round("Osteon", {1: 30}), _round("Orthanc", {})]
    found = ratio(_figures(*rounds), "Orthanc", Load(1))
    assert (found.least, found.middle, found.most) == (1.5, 1.75, 2.0)


def test_the_table_says_which_targets_are_met_and_what_was_not_measured():
    ours = _round("Osteon", {1: 300, 50: 300}, Idle(100, 100, 0.5))
    broken = _round("pynetdicom", {})
    broken.failure = "the peer closed the connection"
    rounds = [ours, _round("storescp", {1: 400}), _round("Orthanc", {1: 100, 50: 200}), broken]
    table = as_table(_figures(*rounds))
    assert (
        "| images/s, 1 association | 300 [300-300] | 400 [400-400] | 100 [100-100] | - |" in table
    )
    assert "- 1 association, at least 1.5 of Orthanc: 3.00 [3.00-3.00], met." in table
    assert "- 1 association, at least 0.8 of storescp: 0.75 [0.75-0.75], missed." in table
    assert "- 50 associations, at least 1 of Orthanc: 1.50 [1.50-1.50], met." in table
    assert "- Idle with 100 associations, below 2 %: 0.5 [0.5-0.5] %, met." in table
    assert table.endswith("- pynetdicom: the peer closed the connection")


def test_the_faster_form_of_a_peer_is_the_one_to_beat():
    rounds = [_round("Osteon", {1: 300}), _round("storescp", {1: 200})]
    table = as_table(_figures(*rounds, _round("storescp --fork", {1: 400})))
    assert "at least 0.8 of storescp --fork: 0.75 [0.75-0.75], missed." in table


def test_dicom_is_not_changed_by_the_size_of_the_image(images):
    assert pydicom.uid.UID(images.image(1, 1).uid).is_valid
    assert 150_000 < images.size_bytes < 155_000


@pytest.mark.parametrize("part", ["receive", "abuse"])
def test_the_page_has_a_place_for_each_table(part):
    page = (Path(__file__).parents[2] / "docs/receiving.md").read_text(encoding="utf-8")
    written = filled(page, {part: "| a table |"})
    assert f"<!-- {part} -->\n| a table |\n<!-- /{part} -->" in written
    assert filled(written, {part: "| a table |"}) == written
