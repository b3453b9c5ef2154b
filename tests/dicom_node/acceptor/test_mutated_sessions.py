"""D-11: sessions with bytes changed, cut, repeated and out of order; the door stays as it was.

100000 sessions with `--full`.
"""

import random
import threading

import pytest

from dicom_node.acceptor.limits import Limits
from tests.dicom_node.acceptor import wire
from tests.dicom_node.acceptor.conftest import ECHO_CONTEXT, MR_CONTEXT, incoming
from tests.dicom_node.acceptor.door_process import door_process, peak_mb, resources, settled
from tests.dicom_node.acceptor.wire import Peer

CLIENTS = 6
HANG_S = 8
ECHO_EVERY = 50
WARM_UP = 300
POOLS = Limits().storing_threads + Limits().answering_threads


def session(rng):
    """The PDUs of a session that is right."""
    return [
        wire.request(MR_CONTEXT, ECHO_CONTEXT),
        *wire.fragments(3, wire.echo(), 1),
        *wire.fragments(1, wire.store(b"1.2.3.%d" % rng.randrange(1, 10_000)), 1),
        *wire.fragments(1, wire.data_set(b"1.2.3.4", rng.randbytes(rng.randrange(2000))), step=700),
        wire.stored(1, b"1.2.3.5", b"\0" * 500),
        wire.RELEASE_RQ,
    ]


def mutated(rng):
    """A session with one to sixteen things wrong."""
    pdus = session(rng)
    for _ in range(rng.choice((0, 0, 1))):
        rng.shuffle(pdus)
    if rng.random() < 0.3:
        pdus.insert(rng.randrange(len(pdus)), rng.choice(pdus))
    if rng.random() < 0.2:
        del pdus[rng.randrange(len(pdus))]
    encoded = bytearray(b"".join(pdus))
    for _ in range(rng.randrange(1, 17)):
        _damage(rng, encoded)
    return bytes(encoded)


def _damage(rng, encoded):
    position = rng.randrange(len(encoded)) if encoded else 0
    match rng.randrange(6):
        case 0 | 1:
            encoded[position : position + 1] = bytes((rng.randrange(256),))
        case 2:
            encoded[position:position] = rng.randbytes(rng.randrange(1, 20))
        case 3:
            del encoded[position : position + rng.randrange(1, 20)]
        case 4:
            encoded[position : position + 4] = rng.choice(
                (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1")
            )
        case 5 if rng.random() < 0.2:
            del encoded[position:]


def played(port, encoded):
    """Send it all, half close, and read to the end; False if the end never comes."""
    with Peer(port, timeout=HANG_S) as peer:
        try:
            peer.send(encoded)
            peer.socket.shutdown(1)
            while peer.socket.recv(65536):
                pass
        except (BrokenPipeError, ConnectionResetError, OSError) as error:
            return not isinstance(error, TimeoutError)
        return True


def attack(port, seed, count, failures):
    """Play so many sessions, and ask in between whether the door is open."""
    rng = random.Random(seed)
    for number in range(count):
        encoded = mutated(rng)
        if not played(port, encoded):
            failures.append(("hangs", seed, number))
        if number % ECHO_EVERY == 0:
            with Peer(port, timeout=HANG_S) as peer:
                peer.associate()
                if peer.echo() != 0:
                    failures.append(("echo", seed, number))


def attacked(port, count, seed=0):
    """Attack with some clients at a time; what went wrong."""
    failures = []
    clients = [
        threading.Thread(target=attack, args=(port, seed + number, count // CLIENTS, failures))
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return failures


@pytest.mark.timeout(3600)
def test_mutated_sessions_leave_the_door_as_it_was(tmp_path, full):
    with door_process(tmp_path) as here:
        threads, files = resources(here.process)
        assert attacked(here.port, WARM_UP, seed=1000) == []
        before = here.process.memory_info().rss
        assert attacked(here.port, 100_000 if full else 5_000) == []
        assert settled(here.process, threads + POOLS, files), resources(here.process)
        grown_mb = (here.process.memory_info().rss - before) / 2**20
        assert grown_mb < 20, peak_mb(here.process)
        assert incoming(here.spool) == []
        assert all(instance.size for instance in here.spool.rescan())
    told = here.log.read_text(encoding="utf-8")
    assert "bug" not in told
    assert "Traceback" not in told
