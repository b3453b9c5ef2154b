import socket
import threading
import time

import pytest

from tests.chaos.proxy import Fault, FaultProxy, Kind


@pytest.fixture
def echoing():
    """A server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            try:
                while True:
                    peer, _ = listener.accept()
                    threading.Thread(target=answer, args=(peer,), daemon=True).start()
            except OSError:
                return

        def answer(peer):
            with peer:
                try:
                    while piece := peer.recv(1000):
                        peer.sendall(piece)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


def said(port, text, wait_s=3.0):
    """Send a text; return what comes back until the end, a silence, or a reset."""
    with socket.create_connection(("127.0.0.1", port), wait_s) as peer:
        peer.settimeout(wait_s)
        heard = b""
        try:
            peer.sendall(text)
            while len(heard) < len(text) and (piece := peer.recv(1000)):
                heard += piece
        except TimeoutError:
            return heard, "silence"
        except ConnectionResetError:
            return heard, "reset"
        return heard, "all" if heard == text else "end"


def test_bytes_pass_and_the_fault_may_change_between_connections(echoing):
    with FaultProxy(echoing) as proxy:
        assert said(proxy.port, b"hello") == (b"hello", "all")
        proxy.fault = Fault(Kind.CUT, after=2)
        heard, end = said(proxy.port, b"hello")
        assert heard in (b"", b"he")
        assert end in ("end", "reset")
        proxy.fault = Fault()
        assert said(proxy.port, b"hello") == (b"hello", "all")


def test_a_reset_is_heard_as_one(echoing):
    with FaultProxy(echoing, Fault(Kind.RESET, after=0)) as proxy:
        assert said(proxy.port, b"hello") == (b"", "reset")


def test_a_half_open_connection_says_nothing_and_stays(echoing):
    with FaultProxy(echoing, Fault(Kind.HALF_OPEN, after=3)) as proxy:
        assert said(proxy.port, b"hello", wait_s=0.5) == (b"hel", "silence")


@pytest.mark.parametrize("kind", [Kind.DELAY, Kind.TRICKLE])
def test_what_is_delayed_arrives_later(echoing, kind):
    with FaultProxy(echoing, Fault(kind, seconds=0.05)) as proxy:
        began = time.monotonic()
        assert said(proxy.port, b"hello") == (b"hello", "all")
        assert time.monotonic() - began >= (0.25 if kind is Kind.TRICKLE else 0.05)


def test_nobody_behind_it_is_an_end():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with FaultProxy(port) as proxy:
        heard, end = said(proxy.port, b"hello")
        assert heard == b""
        assert end in ("end", "reset")
