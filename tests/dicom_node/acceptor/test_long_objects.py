"""Objects that do not wait in memory: written as they come, and the same rules for them."""

import errno
import hashlib
import os
from dataclasses import replace

import pytest

from dicom_node import durable
from dicom_node.spool import Outcome
from dicom_node.vitals import InstanceStored
from tests.dicom_node.acceptor import wire
from tests.dicom_node.acceptor.conftest import MR_CONTEXT, incoming
from tests.dicom_node.acceptor.wire import Peer

PIXELS = bytes(range(256)) * 12_000  # three chunks


def files(door, folder="studies"):
    return sorted((door.spool.root / folder).rglob("*.dcm"))


def outcomes(door):
    return [vital.outcome for vital in door.heard if isinstance(vital, InstanceStored)]


def test_a_long_object_is_stored_byte_for_byte_and_described_as_a_short_one(door):
    with door() as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT)
        assert peer.store(b"1.2.3.1", PIXELS) == 0
        assert peer.store(b"1.2.3.2", b"short") == 0
        long, short = here.stored
    sent = wire.data_set(b"1.2.3.1", PIXELS)
    assert long.sha256 == hashlib.sha256(sent).hexdigest()
    assert long.size == len(sent)
    content = here.spool.path(long).read_bytes()
    assert content.endswith(sent)
    assert content[:132] == bytes(128) + b"DICM"
    assert long.study_uid == short.study_uid == "1.2.3.10"
    assert {i.sha256 for i in here.spool.rescan()} == {long.sha256, short.sha256}
    assert incoming(here.spool) == []


def test_a_long_object_again_is_a_duplicate_and_another_one_a_conflict(door):
    with door() as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT)
        answers = [peer.store(b"1.2.3.1", pixels) for pixels in (PIXELS, PIXELS, PIXELS[::-1])]
        assert answers == [0, 0, 0xB000]
        assert outcomes(here) == [Outcome.NEW, Outcome.DUPLICATE, Outcome.CONFLICT]
    assert (len(files(here)), len(files(here, "conflicts"))) == (1, 1)
    assert incoming(here.spool) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_is_full_in_the_middle_drains_the_rest_and_says_so(door, monkeypatch, number):
    written = []

    def full(_draft, part):
        written.append(len(part))
        if len(written) == 3:
            raise OSError(number, os.strerror(number))

    with door() as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT)
        with monkeypatch.context() as patch:
            patch.setattr(durable.Draft, "write", full)
            assert peer.store(b"1.2.3.1", PIXELS) == 0xA700
        assert len(written) == 3
        assert incoming(here.spool) == []
        assert peer.store(b"1.2.3.1", PIXELS) == 0
    assert len(files(here)) == 1


def test_below_the_floor_in_the_middle_is_a_full_disk(door):
    with door() as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT)
        here.spool._floor_bytes = 2**62
        assert peer.store(b"1.2.3.1", PIXELS) == 0xA700
        here.spool._floor_bytes = 0
        assert peer.store(b"1.2.3.1", PIXELS) == 0
    assert incoming(here.spool) == []


@pytest.mark.parametrize(
    ("announced", "sent", "status"),
    [
        (b"1.2.3.1", b"1.2.3.2", 0xA900),
        (b"../../x", b"../../x", 0xC000),
        (b"1.2.3.1", b"../../x", 0xC000),
        (b"1.2.3.1", b"1." + b"2" * 200_000, 0xC000),
    ],
)
def test_a_long_object_that_is_not_what_it_says_is_refused_and_the_next_is_taken(
    door, announced, sent, status
):
    body = wire.data_set(sent[:60_000], PIXELS)
    with door() as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT)
        peer.send(*wire.fragments(1, wire.store(announced), 1), *wire.fragments(1, body))
        _, answer = peer.read()
        assert wire.status_of(answer) == status
        assert peer.store(b"1.2.3.9", PIXELS) == 0
    assert incoming(here.spool) == []
    assert len(files(here)) == 1


def test_bytes_that_are_no_data_set_are_refused_however_long(door):
    with door() as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT)
        peer.send(*wire.fragments(1, wire.store(b"1.2.3.1"), 1))
        peer.send(*wire.fragments(1, b"\xff" * 3_000_000))
        _, answer = peer.read()
        assert wire.status_of(answer) == 0xC000
    assert incoming(here.spool) == []


def test_uids_are_found_behind_an_element_longer_than_what_is_read_first(door):
    long = b"\x09\0\x10\0OB\0\0" + (2**21).to_bytes(4, "little") + bytes(2**21)
    encoded = wire.data_set(b"1.2.3.1", PIXELS)
    series = encoded.index(b"\x20\0\x0d\0")
    with door() as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT)
        peer.send(*wire.fragments(1, wire.store(b"1.2.3.1"), 1))
        peer.send(*wire.fragments(1, encoded[:series] + long + encoded[series:]))
        assert wire.status_of(peer.read()[1]) == 0
    (found,) = here.spool.rescan()
    assert found.study_uid == "1.2.3.10"
    assert found == replace(here.stored[0], received_at=found.received_at)
