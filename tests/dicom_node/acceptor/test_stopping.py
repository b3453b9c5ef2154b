"""The end: nothing new, what is under way finishes for a moment, the rest is aborted."""

import threading
import time

import pytest

from dicom_node import durable
from dicom_node.errors import PortUnavailable
from dicom_node.receive import Receiver, ReceiverSettings
from dicom_node.vitals import ConnectionEnded, Ending
from tests.dicom_node.acceptor import wire
from tests.dicom_node.acceptor.conftest import MR_CONTEXT, incoming
from tests.dicom_node.acceptor.wire import Peer

ABORT = (7, bytes((0, 0, 2, 0)))


def test_who_is_idle_is_aborted_and_who_waits_is_closed(door, limited):
    with door(limits=limited(farewell_s=0.2)) as here:
        idle, waiting = Peer(here.port), Peer(here.port)
        idle.associate()
    with idle, waiting:
        assert idle.read() == ABORT
        assert idle.read() is None
        assert waiting.read() is None
    endings = [vital for vital in here.heard if isinstance(vital, ConnectionEnded)]
    assert {(vital.ending, vital.associated) for vital in endings} == {
        (Ending.STOPPED, True),
        (Ending.STOPPED, False),
    }


def test_an_object_under_way_is_stored_and_answered_first(door):
    sent = wire.stored(1, b"1.2.3.1", bytes(50_000))
    with door() as here:
        peer = Peer(here.port)
        peer.associate(MR_CONTEXT)
        peer.send(sent[:-10_000])
        stopping = threading.Thread(target=here.receiver.stop)
        stopping.start()
        time.sleep(0.2)
        with pytest.raises(ConnectionRefusedError):
            Peer(here.port)
        peer.send(sent[-10_000:])
        with peer:
            assert wire.status_of(peer.read()[1]) == 0
            assert peer.read() == ABORT
        stopping.join(10)
        assert not stopping.is_alive()
    assert len(here.stored) == 1


def test_an_object_that_does_not_come_is_waited_for_a_moment_only(door, limited):
    with door(limits=limited(stop_s=0.3, farewell_s=0.2)) as here:
        peer = Peer(here.port)
        peer.associate(MR_CONTEXT)
        peer.send(wire.stored(1, b"1.2.3.1", bytes(3_000_000))[:-10])
        time.sleep(0.3)
    with peer:
        assert peer.read() == ABORT
    assert incoming(here.spool) == []
    assert here.stored == []


def test_an_object_at_the_disk_is_answered_before_the_end(door, limited, monkeypatch):
    reached, go_on = threading.Event(), threading.Event()

    def slow(folder):
        reached.set()
        go_on.wait(10)
        return real(folder)

    real = durable.sync_folder
    with door(limits=limited(farewell_s=0.2)) as here, Peer(here.port) as peer:
        peer.associate(MR_CONTEXT)
        assert peer.store(b"1.2.3.0") == 0  # the folders exist
        monkeypatch.setattr(durable, "sync_folder", slow)
        peer.send(wire.stored(1, b"1.2.3.1"))
        assert reached.wait(10)
        stopping = threading.Thread(target=here.receiver.stop)
        stopping.start()
        go_on.set()
        assert wire.status_of(peer.read()[1]) == 0
        assert peer.read() == ABORT
        stopping.join(10)
    assert len(here.stored) == 2


def test_a_port_is_free_again_at_once_and_not_before(door, limited):
    limits = limited(farewell_s=0.2)
    with door(limits=limits) as here, Peer(here.port) as peer:
        peer.associate()
        taken = Receiver(ReceiverSettings(port=here.port), here.spool, lambda _: None)
        with pytest.raises(PortUnavailable):
            taken.start()
        taken.stop()
        here.receiver.stop()
        with door(port=here.port) as again, Peer(again.port) as other:
            other.associate()
            assert other.echo() == 0
