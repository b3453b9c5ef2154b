"""The node: receives, indexes what is in the spool, and opens a job for every study that is whole.

The spool is the record and the database its index (reliability.md B1): rows are written in groups
and behind the answer to the sender. After a crash `run` reads the files that have no row yet, so
an acknowledged instance is never forgotten. One thread does all writing to the store.

Every stored object is indexed, but only MR images count as input (`contexts.is_input`): a study
of other objects, or our own results coming back from a PACS, opens no job.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from dicom_node.completion import QuietPeriod, StudyArrivals
from dicom_node.contexts import is_input
from dicom_node.receive import Receiver
from jobs.errors import StoreUnavailable
from jobs.study import input_digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dicom_node.completion import CompletionRule
    from dicom_node.errors import DicomNodeError
    from dicom_node.receive import ReceiverSettings
    from dicom_node.spool import Spool
    from jobs.queue import JobQueue
    from jobs.store import JobStore
    from jobs.study import Instance

_log = logging.getLogger(__name__)

GROUP_S = 0.1
GROUP_SIZE = 64
STORE_AWAY_S = 1.0
_PAGE = 500


class Node:
    """Receiver, index writer and completion loop of one process."""

    def __init__(
        self,
        settings: ReceiverSettings,
        spool: Spool,
        store: JobStore,
        jobs: JobQueue,
        rule: CompletionRule | None = None,
    ) -> None:
        """Prepare; nothing is opened before `run`. The default rule is a quiet period of 60 s."""
        self._spool = spool
        self._store = store
        self._jobs = jobs
        self._rule = rule or QuietPeriod()
        self._receiver = Receiver(settings, spool, self._arrive)
        self._arrived: queue.SimpleQueue[tuple[Instance, float]] = queue.SimpleQueue()
        self._unindexed: list[Instance] = []
        self._waiting: dict[str, float] = {}  # study → last arrival, monotonic seconds
        self.started = threading.Event()

    @property
    def port(self) -> int:
        """The port that is listened on, once `started` is set."""
        return self._receiver.port

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set. Raises `SpoolBusy`, `PortUnavailable`, `StoreUnavailable`.

        After the start a store that is away is waited for: instances are still received.
        """
        with self._spool.claim():
            self._rebuild()
            self._receiver.start()
            self.started.set()
            _log.info("listening on port %s", self.port)
            try:
                while not stop.is_set():
                    self._step(stop)
            finally:
                self._receiver.stop()
                self._index_the_rest()

    def _index_the_rest(self) -> None:
        """Leave the next start less to read; without the store it reads it from the spool."""
        while not self._arrived.empty():
            self._collect()
        with suppress(StoreUnavailable):
            self._index()

    def _arrive(self, instance: Instance) -> None:
        self._arrived.put((instance, time.monotonic()))

    def _step(self, stop: threading.Event) -> None:
        self._collect()
        try:
            self._index()
            self._close_studies()
        except StoreUnavailable:
            _log.warning("the store is away: %s instances wait for it", len(self._unindexed))
            stop.wait(STORE_AWAY_S)

    def _collect(self) -> None:
        """Take what arrived, for 100 ms or 64 instances."""
        until = time.monotonic() + GROUP_S
        for _ in range(GROUP_SIZE):
            try:
                instance, at_s = self._arrived.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return
            self._unindexed.append(instance)
            self._waiting[instance.study_uid] = at_s

    def _index(self) -> None:
        if self._unindexed:
            self._store.record_instances(self._unindexed)
            self._unindexed = []

    def _close_studies(self) -> None:
        if not self._waiting:
            return
        # In this order: what an association stored is queued before it stops being busy.
        busy = self._receiver.busy_studies()
        if not self._arrived.empty():
            return
        now_s = time.monotonic()
        for study_uid, last_at_s in tuple(self._waiting.items()):
            study = StudyArrivals(study_uid, last_at_s, busy=study_uid in busy)
            if self._rule.due(study, now_s):
                self._close(study_uid)
                del self._waiting[study_uid]

    def _close(self, study_uid: str) -> None:
        """Open a revision and its job, unless the same images were measured before."""
        instances = self._store.instances(study_uid)
        inputs = [instance for instance in instances if is_input(instance.sop_class_uid)]
        if not inputs:
            _log.info("a study of %s objects without MR images is stored, not used", len(instances))
            return
        members = [instance.sop_instance_uid for instance in instances]
        job = self._store.open_revision(study_uid, input_digest(inputs), members)
        if job is None:
            _log.info("a study came again with the same %s images: nothing to do", len(inputs))
            return
        _log.info("job %s: revision %s of a study, %s images", job.id, job.revision, len(inputs))
        self._jobs.submit(job.id)

    def _rebuild(self) -> None:
        """Index what an earlier process accepted and did not index; wait again for open studies."""
        known = {i.path for uid in self._studies() for i in self._store.instances(uid)}
        for instance in self._spool.rescan(known, _report_unreadable):
            self._unindexed.append(instance)
            if len(self._unindexed) >= _PAGE:
                self._index()
        self._index()
        now_s = time.monotonic()
        self._waiting = {study.uid: now_s for study in self._store.open_studies()}

    def _studies(self) -> Iterator[str]:
        after = None
        while page := self._store.studies(_PAGE, after):
            yield from (study.uid for study in page)
            after = page[-1].uid


def _report_unreadable(path: Path, error: DicomNodeError) -> None:
    _log.error("a file in the spool is damaged: %s (%s)", path, error.code)
