"""What `benchmarks.throughput` measured: to keep, to print, and for `benchmarks.sizing`."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

MB, GB = 10**6, 10**9


@dataclass(frozen=True)
class Load:
    """What was sent, on which machine."""

    studies: int
    size: str
    cores: int
    instances_a_study: int
    bytes_a_study: int

    def document(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Figures:
    """One mode with one number of workers."""

    mode: str
    workers: int
    studies_an_hour: float
    waiting_s: tuple[float, float]
    """From the study's closing to the claim of its job: median and 95th percentile."""
    processing_s: tuple[float, float]
    """From the claim to the delivery: median and 95th percentile."""
    sent_bytes: int
    """What one study's results are over the wire."""
    receive_ms: float = math.nan
    """An instance, four senders at once."""
    disk_bytes: Mapping[str, int] = field(default_factory=dict)
    """A study, in spool, results and database."""
    peak_bytes: Mapping[str, int] = field(default_factory=dict)
    """Memory of each process with its children."""

    def with_footprint(
        self, receive_ms: float, disk_bytes: Mapping[str, int], peak_bytes: Mapping[str, int]
    ) -> Figures:
        """Return the same with what was measured around it."""
        return replace(
            self,
            receive_ms=receive_ms,
            disk_bytes=dict(disk_bytes),
            peak_bytes=dict(peak_bytes),
        )

    @property
    def worker_peak_bytes(self) -> int:
        """The largest worker, its child included."""
        return max(v for k, v in self.peak_bytes.items() if k.startswith("worker"))

    def document(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)


def load_figures(path: Path) -> tuple[Load, list[Figures]]:
    """Read what `benchmarks.throughput --json` wrote."""
    document = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        Figures(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()})
        for row in document["rows"]
    ]
    return Load(**document["load"]), rows


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` of all do not exceed; NaN if there is none."""
    return sorted(values)[math.ceil(share * len(values)) - 1] if values else math.nan


_ROWS: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    ("studies an hour", lambda f: f"{f.studies_an_hour:.1f}"),
    ("waiting, median, s", lambda f: f"{f.waiting_s[0]:.0f}"),
    ("waiting, 95th percentile, s", lambda f: f"{f.waiting_s[1]:.0f}"),
    ("processing, median, s", lambda f: f"{f.processing_s[0]:.1f}"),
    ("processing, 95th percentile, s", lambda f: f"{f.processing_s[1]:.1f}"),
    ("receiving, ms an instance", lambda f: f"{f.receive_ms:.1f}"),
    ("disk a study: spool, MB", lambda f: f"{f.disk_bytes['spool'] / MB:.1f}"),
    ("disk a study: results, MB", lambda f: f"{f.disk_bytes['results'] / MB:.1f}"),
    ("disk a study: database, MB", lambda f: f"{f.disk_bytes['database'] / MB:.2f}"),
    ("sent a study, MB", lambda f: f"{f.sent_bytes / MB:.1f}"),
    ("peak memory: a worker, GB", lambda f: f"{f.worker_peak_bytes / GB:.2f}"),
    ("peak memory: the node, GB", lambda f: _peak(f, "node")),
    ("peak memory: Triton, GB", lambda f: _peak(f, "Triton")),
    ("peak memory: PostgreSQL, GB", lambda f: _peak(f, "PostgreSQL")),
    ("peak memory: Redis, GB", lambda f: _peak(f, "Redis")),
)


def _peak(figures: Figures, name: str) -> str:
    return f"{figures.peak_bytes[name] / GB:.2f}" if name in figures.peak_bytes else "-"


def as_table(load: Load, rows: Sequence[Figures]) -> str:
    """Return the one table of docs/sizing.md, in Markdown."""
    heads = [f"{row.mode}, {row.workers} worker{'s'[: row.workers > 1]}" for row in rows]
    sent = f"{load.studies} {load.size} synthetic studies sent at once, {load.cores} cores"
    study = f"a study has {load.instances_a_study} instances, {load.bytes_a_study / MB:.1f} MB"
    lines = [
        f"{sent}; {study}",
        "",
        f"| | {' | '.join(heads)} |",
        f"|---|{'---|' * len(rows)}",
    ]
    lines += [f"| {title} | {' | '.join(show(row) for row in rows)} |" for title, show in _ROWS]
    return "\n".join(lines)
