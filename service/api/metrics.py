"""Metrics: read from the record of work when they are asked for, so every process agrees.

Names as `reference/clinical_and_console.md` C3, prefix `osteon_`, base units, few labels.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from imaging.errors import ModelMismatch
from imaging.model import ModelSpec
from service.api.site import Site
from workers.inference.repository import load_spec


def make_registry(site: Site) -> CollectorRegistry:
    """Return a registry that reads the store once when it is written out."""
    registry = CollectorRegistry()
    registry.register(StoreCollector(site))
    ProcessCollector(registry=registry)
    return registry


class StoreCollector(Collector):
    """What the store, the disk and the model say now."""

    def __init__(self, site: Site) -> None:
        """Collect for one installation."""
        self._site = site

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        yield from self._jobs()
        yield self._stages()
        yield from self._model()
        yield self._disk()

    def _jobs(self) -> Iterator[Metric]:
        store = self._site.store
        counts = store.counts()
        family = GaugeMetricFamily("osteon_jobs_in_state", "Jobs by state.", labels=["state"])
        for state, n in counts.items():
            family.add_metric([str(state)], n)
        yield family
        age = GaugeMetricFamily("osteon_queue_oldest_age_seconds", "Age of the oldest queued job.")
        age.add_metric([], store.oldest_queued_age_s() or 0.0)
        yield age

    def _stages(self) -> Metric:
        name, text = "osteon_stage_duration_seconds", "Seconds in each stage of the jobs."
        family = SummaryMetricFamily(name, text, labels=["stage"])
        for stage, (n, seconds) in self._site.store.stage_totals().items():
            family.add_metric([stage], count_value=n, sum_value=seconds)
        return family

    def _model(self) -> Iterator[Metric]:
        specs = _specs(self._site)
        spec = specs[0]
        labels = {
            "version": self._site.version,
            "git": self._site.git_commit[:12],
            "model": spec.name if spec else "",
            "model_version": spec.version if spec else "",
        }
        info = GaugeMetricFamily("osteon_build_info", "Which software.", labels=list(labels))
        info.add_metric(list(labels.values()), 1)
        yield info
        ready = GaugeMetricFamily("osteon_model_ready", "Whether every model can be served.")
        ready.add_metric([], float(all(specs)))
        yield ready

    def _disk(self) -> Metric:
        text = "Free space by volume."
        family = GaugeMetricFamily("osteon_disk_free_bytes", text, labels=["volume"])
        volumes = {"spool": self._site.spool_dir, "results": self._site.results_dir}
        for volume, folder in volumes.items():
            if folder.exists():
                family.add_metric([volume], shutil.disk_usage(folder).free)
        return family


def _specs(site: Site) -> list[ModelSpec | None]:
    return [_spec(folder) for folder in site.model_dirs]


def _spec(folder: Path) -> ModelSpec | None:
    try:
        return load_spec(folder)
    except ModelMismatch:
        return None
