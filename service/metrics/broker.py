"""What the broker says when a worker is scraped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True)
class BrokerCollector(Collector):
    """Whether Redis answers, and how many rings wait in each queue."""

    waiting: Callable[[], Mapping[str, int] | None]
    """Rings by queue; None: the broker does not answer."""

    def collect(self) -> Iterator[Metric]:
        """Ask once."""
        found = self.waiting()
        up = GaugeMetricFamily("osteon_worker_broker_up", "Whether the broker answers.")
        up.add_metric([], float(found is not None))
        yield up
        text = "Rings that wait in the broker."
        rings = GaugeMetricFamily("osteon_worker_rings_waiting", text, labels=["queue"])
        for queue, n in (found or {}).items():
            rings.add_metric([queue], n)
        yield rings
