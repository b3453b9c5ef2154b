"""The database's index of the spool: written in groups, and rebuilt from the files."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from jobs.fault_points import fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dicom_node.errors import DicomNodeError
    from dicom_node.spool import Spool
    from jobs.store import JobStore
    from jobs.study import Instance

_log = logging.getLogger(__name__)
_PAGE = 500


class SpoolIndex:
    """Rows for what the spool has accepted; used from one thread."""

    def __init__(self, spool: Spool, store: JobStore) -> None:
        """Have nothing to write yet."""
        self._spool = spool
        self._store = store
        self._unwritten: list[Instance] = []

    @property
    def unwritten(self) -> int:
        """How many accepted instances wait for their row."""
        return len(self._unwritten)

    def add(self, instance: Instance) -> None:
        """Have a row for an instance written with the next group."""
        self._unwritten.append(instance)

    def write(self) -> None:
        """Write what waits; raises `StoreUnavailable`, and then it still waits."""
        if self._unwritten:
            fault("index.group")
            self._store.record_instances(self._unwritten)
            self._unwritten = []

    def write_study(self, study_uid: str) -> None:
        """Index what another node accepted and did not index yet, alive or dead."""
        known = {instance.path for instance in self._store.instances(study_uid)}
        found = tuple(self._spool.rescan_study(study_uid, known, _report_unreadable))
        if found:
            self._store.record_instances(found)

    def rebuild(self) -> None:
        """Index what an earlier process accepted and did not index."""
        known = {i.path for uid in self._studies() for i in self._store.instances(uid)}
        for instance in self._spool.rescan(known, _report_unreadable):
            fault("index.rescan")
            self.add(instance)
            if self.unwritten >= _PAGE:
                self.write()
        self.write()

    def _studies(self) -> Iterator[str]:
        after = None
        while page := self._store.studies(_PAGE, after):
            yield from (study.uid for study in page)
            after = page[-1].uid


def _report_unreadable(path: Path, error: DicomNodeError) -> None:
    told = {"event": "spool_file_damaged", "code": error.code}
    _log.error("a file in the spool is damaged: %s (%s)", path, error.code, extra=told)
