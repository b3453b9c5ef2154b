"""A stand-in PACS: a DICOM node of our own kind that keeps what it is sent."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from dicom_node.receive import Receiver, ReceiverSettings
from dicom_node.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobs.study import Instance

AE_TITLE = "STANDIN"
SEG = "1.2.840.10008.5.1.4.1.1.66.4"
PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
COMPREHENSIVE_3D_SR = "1.2.840.10008.5.1.4.1.1.88.34"


class StandInPacs:
    """What has been received so far, by SOP Instance UID."""

    def __init__(self, folder: Path) -> None:
        """Keep everything under `folder`."""
        self._spool = Spool(folder)
        self._received: dict[str, Instance] = {}
        self._lock = threading.Lock()
        settings = ReceiverSettings(ae_title=AE_TITLE, port=0)
        self._receiver = Receiver(settings, self._spool, self._keep)

    @contextlib.contextmanager
    def listening(self) -> Iterator[int]:
        """Receive during the block; yields the port."""
        with self._spool.claim():
            self._receiver.start()
            try:
                yield self._receiver.port
            finally:
                self._receiver.stop()

    def received(self) -> frozenset[str]:
        """Return the SOP Instance UIDs that are here."""
        with self._lock:
            return frozenset(self._received)

    def files(self, sop_class_uid: str) -> tuple[Path, ...]:
        """Return the files of one kind of object."""
        with self._lock:
            here = list(self._received.values())
        return tuple(self._spool.path(i) for i in here if i.sop_class_uid == sop_class_uid)

    def _keep(self, instance: Instance) -> None:
        with self._lock:
            self._received[instance.sop_instance_uid] = instance
