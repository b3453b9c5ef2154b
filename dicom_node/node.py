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
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dicom_node.completion import QuietPeriod, StudyArrivals
from dicom_node.content import Content, Looks
from dicom_node.contexts import is_input
from dicom_node.indexing import SpoolIndex
from dicom_node.neighbours import Neighbours
from dicom_node.receive import Receiver
from dicom_node.vitals import StudyClosed
from jobs.errors import StoreUnavailable
from jobs.fault_points import fault
from jobs.job import Priority
from jobs.study import input_digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dicom_node.completion import Cause, CompletionRule
    from dicom_node.content import ContentCheck
    from dicom_node.receive import ReceiverSettings
    from dicom_node.spool import Spool
    from dicom_node.vitals import Listener
    from jobs.queue import JobQueue
    from jobs.store import JobStore
    from jobs.study import Instance

_log = logging.getLogger(__name__)

GROUP_S = 0.1
GROUP_SIZE = 64
STORE_AWAY_S = 1.0


@dataclass(frozen=True)
class _Waiting:
    """A study with arrivals that no revision took in; times in monotonic seconds."""

    first_at_s: float
    last_at_s: float
    arrivals: int = 0


class Node:
    """Receiver, index writer and completion loop of one process."""

    def __init__(
        self,
        settings: ReceiverSettings,
        spool: Spool,
        store: JobStore,
        jobs: JobQueue,
        rule: CompletionRule | None = None,
        check: ContentCheck | None = None,
    ) -> None:
        """Prepare; nothing is opened before `run`.

        The default rule is a quiet period of 60 s. Without `check` no content is looked at.
        """
        self.spool = spool
        self._store = store
        self._jobs = jobs
        self._rule = rule or QuietPeriod()
        self._looks = None if check is None else Looks(check)
        self._neighbours = Neighbours(store) if spool.shared else None
        self._receiver = Receiver(settings, spool, self.arrive)
        self._arrived: queue.SimpleQueue[tuple[Instance, float]] = queue.SimpleQueue()
        self._index = SpoolIndex(spool, store)
        self._waiting: dict[str, _Waiting] = {}  # by Study Instance UID
        self.started = threading.Event()

    @property
    def port(self) -> int:
        """The port that is listened on, once `started` is set."""
        return self._receiver.port

    @property
    def open_associations(self) -> int:
        """How many peers are connected now."""
        return self._receiver.open_associations

    @property
    def open_studies(self) -> int:
        """How many studies have arrivals that no job took in."""
        return len(self._waiting)

    @property
    def unindexed(self) -> int:
        """How many accepted instances wait for their row in the store."""
        return self._index.unwritten + self._arrived.qsize()

    def tell(self, listener: Listener) -> None:
        """Have `listener` told of what happens; call before `run`."""
        self._receiver.listener = listener

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set. Raises `SpoolBusy`, `PortUnavailable`, `StoreUnavailable`.

        After the start a store that is away is waited for: instances are still received.
        """
        with self.spool.claim():
            self._rebuild()
            self._receiver.start()
            self.started.set()
            _log.info("listening on port %s", self.port, extra={"event": "node_listens"})
            try:
                while not stop.is_set():
                    self._step(stop)
            finally:
                self._receiver.stop()
                if self._looks is not None:
                    self._looks.stop()
                self._index_the_rest()

    def _index_the_rest(self) -> None:
        """Leave the next start less to read; without the store it reads it from the spool."""
        while not self._arrived.empty():
            self._collect()
        with suppress(StoreUnavailable):
            self._index.write()
            if self._neighbours is not None:
                self._neighbours.leave()

    def arrive(self, instance: Instance) -> None:
        """Take note of an instance that is durable in our spool."""
        self._arrived.put((instance, time.monotonic()))

    def _step(self, stop: threading.Event) -> None:
        self._collect()
        try:
            self._index.write()
            self._close_studies()
        except StoreUnavailable as error:
            told = {"event": "store_away", "code": error.code}
            _log.warning("the store is away: %s instances wait", self._index.unwritten, extra=told)
            stop.wait(STORE_AWAY_S)

    def _collect(self) -> None:
        """Take what arrived, for 100 ms or 64 instances."""
        until = time.monotonic() + GROUP_S
        for _ in range(GROUP_SIZE):
            try:
                instance, at_s = self._arrived.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return
            self._index.add(instance)
            before = self._waiting.get(instance.study_uid) or _Waiting(at_s, at_s)
            now = replace(before, last_at_s=at_s, arrivals=before.arrivals + 1)
            self._waiting[instance.study_uid] = now

    def _close_studies(self) -> None:
        if not self._waiting:
            return
        # In this order: what an association stored is queued before it stops being busy.
        busy, urgent = self._receiver.busy_studies(), self._receiver.urgent_studies()
        if not self._arrived.empty():
            return
        now_s = time.monotonic()
        arrivals = {
            uid: StudyArrivals(
                uid, known.first_at_s, known.last_at_s, uid in busy, urgent=uid in urgent
            )
            for uid, known in self._waiting.items()
        }
        if self._neighbours is not None:
            arrivals = self._neighbours.join(arrivals, now_s)
        for study_uid, study in arrivals.items():
            cause = self._due(study, now_s)
            if cause is not None:
                self._close(study, cause)
                self._forget(study_uid)

    def _due(self, study: StudyArrivals, now_s: float) -> Cause | None:
        if self._looks is not None and self._rule.settled(study, now_s):
            uid = study.study_uid
            whole = self._looks.whole(uid, self._seen(uid), lambda: self._content(uid))
            study = replace(study, whole=whole)
        return self._rule.due(study, now_s)

    def _seen(self, study_uid: str) -> int:
        """Return a number that grows with every arrival, here or elsewhere."""
        elsewhere = 0 if self._neighbours is None else self._neighbours.images(study_uid)
        return self._waiting[study_uid].arrivals + elsewhere

    def _forget(self, study_uid: str) -> None:
        del self._waiting[study_uid]
        self._receiver.forget(study_uid)
        if self._looks is not None:
            self._looks.forget(study_uid)

    def _content(self, study_uid: str) -> Content:
        def paths(instances: tuple[Instance, ...]) -> Iterator[Path]:
            return (self.spool.path(i) for i in instances if is_input(i.sop_class_uid))

        every = tuple(paths(self._store.instances(study_uid)))
        return Content(study_uid, every, frozenset(paths(self._store.late_instances(study_uid))))

    def _close(self, study: StudyArrivals, cause: Cause) -> None:
        """Open a revision and its job, unless the same images were measured before."""
        study_uid = study.study_uid
        if self._neighbours is not None:
            self._index.write_study(study_uid)
        instances = self._store.instances(study_uid)
        inputs = [instance for instance in instances if is_input(instance.sop_class_uid)]
        if not inputs:
            text = "a study of %s objects without MR images is stored, not used"
            _log.info(text, len(instances), extra={"event": "study_not_used"})
            return
        fault("close.decided")
        members = [instance.sop_instance_uid for instance in instances]
        priority = Priority.URGENT if study.urgent else Priority.ROUTINE
        job = self._store.open_revision(study_uid, input_digest(inputs), members, int(priority))
        if job is None:
            text = "a study came again with the same %s images: nothing to do"
            _log.info(text, len(inputs), extra={"event": "study_came_again"})
            return
        told = {"event": "job_opened", "job_id": job.id}
        text = "revision %s of a study, %s images; %s"
        _log.info(text, job.revision, len(inputs), cause, extra=told)
        waited_s = time.monotonic() - study.first_at_s
        self._receiver.listener(StudyClosed(job.id, waited_s, len(inputs), cause))
        fault("close.opened")
        self._jobs.submit(job.id)
        fault("close.rung")

    def _rebuild(self) -> None:
        """Index what an earlier process accepted; wait again for open studies."""
        self._index.rebuild()
        now_s = time.monotonic()
        open_studies = self._store.open_studies()
        self._waiting = {study.uid: _Waiting(now_s, now_s) for study in open_studies}
