"""What the node witnesses, in the audit (`dicom_node.witness.Witness`)."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.auditing.recorder import Recorder, recording
from service.auditing.refusals import Refusals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jobs.audit import AuditEntry
    from jobs.store import JobStore
    from jobs.transfers import Transfer


@dataclass(frozen=True)
class NodeWitness:
    """Hands what it is told to a recorder."""

    tell: Callable[[AuditEntry], None]
    refusals: Refusals

    def received(self, transfer: Transfer) -> None:
        """Record what an association brought of one study."""
        for entry in transfer.received():
            self.tell(entry)

    def turned_away(self, calling_ae_title: str, address: str, code: str) -> None:
        """Record a security alert."""
        self.refusals.add(calling_ae_title, address, code)


@contextlib.contextmanager
def witnessing(store: JobStore) -> Iterator[NodeWitness]:
    """Give a witness whose entries are written while the block runs."""
    recorder = Recorder(store)
    refusals = Refusals(recorder.tell)
    recorder.beside = refusals.flush
    with recording(recorder):
        try:
            yield NodeWitness(recorder.tell, refusals)
        finally:
            refusals.flush(at_end=True)
