"""One job from claim to fate: measure once, keep, deliver; every error becomes a fate."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from dicom_objects.errors import NoUsableDiffusion
from dicom_objects.reading.examination import read_examination
from jobs.errors import IllegalMove, LeaseLost
from jobs.fault_points import fault
from jobs.job import EventKind, Stage
from workers.comparison import History
from workers.delivery import Courier, DeliveryWaits
from workers.earlier import StoredResults, record_of
from workers.encoding import Run
from workers.failures import Fate, back_off_s, judge
from workers.inference.model import ModelUnavailable
from workers.labelling import study_label
from workers.prior_policy import policy_of
from workers.priors import Priors, PriorsAwaited
from workers.recording import StoreRecorder
from workers.results_folder import discard, settle, working_folder
from workers.screening import Screened, Screening
from workers.summary import series_summary, summarise
from workers.vitals import Measured, silence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from jobs.job import Job
    from jobs.store import JobStore
    from workers.configuration import Destination, WorkerConfiguration
    from workers.failures import Verdict
    from workers.pipeline import Pipeline
    from workers.vitals import Tell

_LOG = logging.getLogger(__name__)
MODEL_BACK_OFF_S = 60.0
"""No study waits longer for a model server: it is one for all, and asking it costs little."""


@dataclass(frozen=True)
class Processing:
    """What one job needs: its record, its input, and a pipeline that is built when it is needed."""

    store: JobStore
    configuration: WorkerConfiguration
    make_pipeline: Callable[[], Pipeline]
    tell: Tell = silence
    screen: Callable[[Sequence[Path]], Screened] = field(default_factory=Screening)
    """Reads every file before this process reads any."""

    def process(self, job: Job) -> None:
        """Bring a claimed job to its fate; returns also when the job is no longer ours."""
        recorder = StoreRecorder(self.store, job, self.tell)
        with _Fate(self.store, job, recorder):
            fault("job.begun")
            if not self.store.results(job.id):
                self._measure(job, recorder)
            with recorder.stage(Stage.DELIVER):
                told = self.configuration
                courier = Courier(self.store, job, told.results_dir, told.delivery, self.tell)
                courier.deliver(self._destinations(job), recorder.fraction)
            fault("job.sent")
            self.store.deliver(job)
        self.store.prior_ended(job.study_uid)

    def _destinations(self, job: Job) -> tuple[Destination, ...]:
        """Return where the results go; nowhere by themselves where only a later study asked."""
        told = self.configuration
        wanted = told.archive is not None and told.archive.send_results
        if wanted or not self.store.is_only_prior(job.study_uid):
            return told.destinations
        asked = any(e.kind is EventKind.SEND_AGAIN for e in self.store.events(job.id))
        return told.destinations if asked else ()

    def _measure(self, job: Job, recorder: StoreRecorder) -> None:
        """Run the pipeline and keep its results; nothing is sent before this returns."""
        priors = Priors(self.store, job, policy_of(self.configuration))
        priors.wait()
        instances = self.store.instances(job.study_uid, job.revision)
        spool = self.configuration.spool_dir
        screened = self.screen([spool / i.path for i in instances])
        paths = screened.sound
        if self.configuration.keep_labels:
            read = frozenset(paths)
            sound = [i for i in instances if spool / i.path in read]
            self.store.keep_label(job, study_label(job.study_uid, sound, spool))
        run = Run(
            run_id=job.id,
            at=job.created_at,
            input_digest=job.input_digest,
            build=self.configuration.build,
            history=self._history(job, paths, priors),
            damaged=screened.damaged,
        )
        with working_folder(self.configuration.results_dir, job) as folder:
            outcome = self.make_pipeline().run(paths, folder, run, recorder)
            fault("job.measured")
            files = settle(folder, self.configuration.results_dir, job, outcome.files)
        summary = summarise(outcome.findings)
        try:
            self.store.keep_summary(job, summary)
            self.store.keep_results(job, files)
        except LeaseLost:
            discard(self.configuration.results_dir, job)
            raise
        self.tell(_measured(summary))

    def _history(self, job: Job, paths: Sequence[Path], priors: Priors) -> History | None:
        """Keep whose study it is, as digests, and say where the patient's others are."""
        secret = self.configuration.identity_key
        examination = read_examination(paths, bytes.fromhex(secret)) if secret else None
        if examination is None:
            return None
        record = record_of(examination)
        self.store.keep_examination(job, record)
        notes = priors.look(record, paths)
        results_dir = self.configuration.results_dir
        return History(examination, StoredResults(self.store, results_dir, notes))


def _measured(summary: Mapping[str, Any]) -> Measured:
    """Tell the headline numbers of a summary and the codes of its notes."""
    notes = tuple(note["code"] for note in summary.get("quality", ()))
    return Measured(summary["tdv_ml"], summary.get("gadc_um2_s"), notes)


class _Fate:
    """Writes down what an error in its block means for the job (`workers.failures`)."""

    def __init__(self, store: JobStore, job: Job, recorder: StoreRecorder) -> None:
        self._store = store
        self._job = job
        self._recorder = recorder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        if isinstance(error, LeaseLost):
            told = {"event": "lease_lost", "code": error.code}
            _LOG.warning("the job is no longer ours; this worker wrote nothing more", extra=told)
            return True
        verdict = judge(error, self._recorder.current)
        level = logging.ERROR if verdict.fate is Fate.BUG else logging.WARNING
        told = {"event": "job_failed", "code": verdict.failure.code}
        text = "%s: %s"
        _LOG.log(level, text, verdict.fate, verdict.failure.code, exc_info=error, extra=told)
        try:
            self._record(verdict, error)
        except (LeaseLost, IllegalMove) as late:  # somebody else's now, or ended by an earlier try
            told = {"event": "lease_lost", "code": late.code}
            _LOG.warning("the job is no longer ours; its fate was not written", extra=told)
        return True

    def _record(self, verdict: Verdict, error: Exception) -> None:
        failure = verdict.failure
        if isinstance(error, NoUsableDiffusion):
            self._store.keep_summary(self._job, series_summary(error.series))
        match verdict.fate:
            case Fate.REJECT:
                self._store.reject(self._job, failure)
            case Fate.HOLD:
                self._store.hold(self._job, failure)
            case Fate.BUG:
                self._store.fail(self._job, failure)
            case Fate.RETRY:
                # Someone else is away: waiting costs no attempt, as long as it takes.
                delay_s = back_off_s(self._tries())
                if isinstance(error, ModelUnavailable):
                    delay_s = min(delay_s, MODEL_BACK_OFF_S)
                if isinstance(error, (DeliveryWaits, PriorsAwaited)):
                    delay_s = error.again_s
                self._store.retry(self._job, failure, delay_s, spend_attempt=False)

    def _tries(self) -> int:
        events = self._store.events(self._job.id)
        tries = (event for event in events if event.kind is EventKind.RETRY)
        return 1 + sum(event.data.get("code") != PriorsAwaited.code for event in tries)
