"""Metrics read from the record of work when they are asked for, so every process agrees.

Names as `reference/clinical_and_console.md` C3, prefix `osteon_`, base units, few labels. The
store is one for all processes; only the REST interface tells what it says.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from imaging.errors import ModelMismatch
from imaging.model import ModelSpec
from jobs.errors import JobsError
from jobs.job import JobState, Priority
from jobs.overview import Overview
from jobs.store import JobStore
from service.api.site import Site
from service.metrics.exposition import make_registry
from workers.inference.repository import load_spec

Checks = Callable[[], Mapping[str, bool]]
"""Gives what has to be there for a study to be received and measured, and whether it is."""


def site_registry(site: Site, checks: Checks) -> CollectorRegistry:
    """Return a registry that reads the store once when it is written out."""
    registry = make_registry("api", site.version, site.git_commit)
    registry.register(SiteCollector(site, checks))
    return registry


class SiteCollector(Collector):
    """What the store, the disk and the models say now; a store that is away leaves its part out."""

    def __init__(self, site: Site, checks: Checks) -> None:
        """Collect for one installation."""
        self._site = site
        self._checks = checks

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        ready = _gauge("ready", "Whether a part that the service needs is there.", "check")
        for name, is_there in self._checks().items():
            ready.add_metric([name], float(is_there))
        yield ready
        specs = [_spec(folder) for folder in self._site.model_dirs]
        text = "Whether every model can be served."
        yield _one("model_ready", text, float(all(specs)))
        yield self._build(specs[0])
        yield self._disk()
        try:
            yield from self._store()
        except JobsError:
            return

    def _store(self) -> Iterator[Metric]:
        store = self._site.store
        seen, counts = store.overview(), store.counts()
        oldest_s, stages = store.oldest_queued_age_s() or 0.0, store.stage_totals()
        yield from _jobs(counts, seen)
        yield _one("queue_oldest_age_seconds", "Age of the oldest queued job.", oldest_s)
        yield from _queue(seen)
        yield from _deliveries(seen)
        yield _priors(store)
        yield from _audit(store, self._site.audit_receiver)
        name, text = "osteon_stage_duration_seconds", "Seconds in each stage of the jobs."
        family = SummaryMetricFamily(name, text, labels=["stage"])
        for stage, (n, seconds) in stages.items():
            family.add_metric([stage], count_value=n, sum_value=seconds)
        yield family

    def _build(self, spec: ModelSpec | None) -> Metric:
        labels = {
            "version": self._site.version,
            "git": self._site.git_commit[:12],
            "model": spec.name if spec else "",
            "model_version": spec.version if spec else "",
        }
        info = _gauge("build_info", "Which software.", *labels)
        info.add_metric(list(labels.values()), 1)
        return info

    def _disk(self) -> Metric:
        family = _gauge("disk_free_bytes", "Free space by volume.", "volume")
        volumes = {"spool": self._site.spool_dir, "results": self._site.results_dir}
        for volume, folder in volumes.items():
            if folder.exists():
                family.add_metric([volume], shutil.disk_usage(folder).free)
        return family


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"osteon_{name}", text, labels=labels)


def _one(name: str, text: str, value: float) -> Metric:
    family = _gauge(name, text)
    family.add_metric([], value)
    return family


def _jobs(counts: Mapping[JobState, int], seen: Overview) -> Iterator[Metric]:
    family = _gauge("jobs_in_state", "Jobs by state.", "state")
    for state, n in counts.items():
        family.add_metric([str(state)], n)
    yield family
    text = "Jobs that failed, are held or were rejected, by code; replaced ones left out."
    codes = _gauge("jobs_ended_badly", text, "state", "code")
    for (state, code), n in seen.codes.items():
        codes.add_metric([str(state), code], n)
    yield codes
    failed = sum(n for (state, _), n in seen.codes.items() if state is JobState.FAILED)
    yield _one("dead_letters", "Failed jobs that nobody queued again.", failed)
    text = "Seconds since the last of them failed."
    yield _one("dead_letters_last_age_seconds", text, seen.failed_last_s or 0.0)


def _queue(seen: Overview) -> Iterator[Metric]:
    depth = _gauge("queue_depth", "Queued jobs by priority.", "priority")
    for priority in Priority:
        depth.add_metric([priority.name.lower()], seen.queued.get(int(priority), 0))
    yield depth
    yield _one("queue_due", "Queued jobs that a worker could take now.", seen.n_due)
    text = "For how long the job that waits longest for a worker has been due."
    yield _one("queue_due_age_seconds", text, seen.due_for_s)
    text = "Running jobs whose worker is silent for longer than its lease."
    yield _one("leases_run_out", text, seen.leases_run_out)


def _deliveries(seen: Overview) -> Iterator[Metric]:
    text = "Result objects that a destination does not have yet."
    pending = _gauge("deliveries_pending", text, "destination")
    oldest = _gauge("deliveries_oldest_age_seconds", "Age of the oldest of them.", "destination")
    for row in seen.pending:
        pending.add_metric([row.destination], row.n_objects)
        oldest.add_metric([row.destination], row.oldest_s)
    yield pending
    yield oldest
    family = _gauge("received_last_age_seconds", "Seconds since the last new instance came.")
    if seen.received_last_s is not None:
        family.add_metric([], seen.received_last_s)
    yield family


def _priors(store: JobStore) -> Metric:
    family = _gauge("priors", "Earlier studies that the archive holds, by state.", "state")
    for state, n in store.prior_counts().items():
        family.add_metric([str(state)], n)
    return family


def _audit(store: JobStore, receiver: str) -> Iterator[Metric]:
    text = "Rows of the audit that the syslog server does not have yet."
    pending = _gauge("audit_forwarding_pending", text)
    oldest = _gauge("audit_forwarding_oldest_age_seconds", "Age of the oldest of them.")
    if receiver:
        behind = store.audit_behind(receiver)
        pending.add_metric([], behind.rows)
        oldest.add_metric([], behind.oldest_s)
    yield pending
    yield oldest


def _spec(folder: Path) -> ModelSpec | None:
    try:
        return load_spec(folder)
    except (ModelMismatch, OSError):
        return None
