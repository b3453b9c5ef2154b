"""A receiver with short deadlines, and what it tells."""

from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from types import SimpleNamespace

import pytest

from dicom_node.errors import SpoolBusy
from dicom_node.receive import Receiver, ReceiverSettings
from dicom_node.spool import Spool
from tests.dicom_node.acceptor import wire

MR_CONTEXT = wire.context(1, wire.MR, wire.EXPLICIT)
ECHO_CONTEXT = wire.context(3, wire.VERIFICATION, wire.IMPLICIT)


@pytest.fixture
def door(tmp_path):
    """Start receivers over one spool; each tells what happened and what it stored."""
    spool = Spool(tmp_path / "spool", floor_bytes=0)

    @contextmanager
    def start(**settings):
        stored, heard = [], []
        receiver = Receiver(ReceiverSettings(**{"port": 0, **settings}), spool, stored.append)
        receiver.listener = heard.append
        # Beside another receiver of the same test the spool is claimed already.
        with ExitStack() as claimed:
            with suppress(SpoolBusy):
                claimed.enter_context(spool.claim())
            receiver.start()
            try:
                yield SimpleNamespace(
                    receiver=receiver, port=receiver.port, stored=stored, heard=heard, spool=spool
                )
            finally:
                receiver.stop()

    return start


@pytest.fixture
def limited():
    """The default limits with some changed."""
    return lambda **changed: replace(ReceiverSettings().limits, **changed)


def incoming(spool):
    """What lies half done in a spool."""
    return [path for path in (spool.root / "incoming").rglob("*") if path.is_file()]
