"""Who listens to a process of ours: its metrics and its traces, as the settings say."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from service.build import git_commit, version
from service.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client import CollectorRegistry

    from dicom_node.node import Node
    from dicom_node.vitals import NodeVital
    from service.settings import Settings
    from service.tracing import Traces
    from workers.vitals import Listener, WorkerVital


@contextlib.contextmanager
def watched_node(settings: Settings, node: Node) -> Iterator[None]:
    """Count and trace what a node does while it runs inside the block.

    Raises:
        SettingsError: traces are asked for and their libraries are not installed.

    """
    with contextlib.ExitStack() as stack:
        listeners: list[Callable[[NodeVital], None]] = []
        if settings.monitoring.node_port is not None:
            listeners.append(_node_metrics(settings, node, stack))
        traces = _traces(settings, "node", stack)
        if traces is not None:
            listeners.append(traces.node)

        def tell(vital: NodeVital) -> None:
            for listener in listeners:
                listener(vital)

        node.tell(tell)
        yield


@contextlib.contextmanager
def watched_worker(
    settings: Settings, waiting: Callable[[], Mapping[str, int] | None] | None
) -> Iterator[Listener]:
    """Give the listener that a worker tells of its jobs.

    `waiting` asks the broker for the rings in each queue; None where there is no broker. Raises
    as `watched_node`.
    """
    with contextlib.ExitStack() as stack:
        listeners: list[Listener] = []
        if settings.monitoring.worker_port is not None:
            listeners.append(_worker_metrics(settings, waiting, stack))
        traces = _traces(settings, "worker", stack)
        if traces is not None:
            listeners.append(traces.worker)

        def tell(job_id: str, vital: WorkerVital) -> None:
            for listener in listeners:
                listener(job_id, vital)

        yield tell


def _node_metrics(
    settings: Settings, node: Node, stack: contextlib.ExitStack
) -> Callable[[NodeVital], None]:
    from service.metrics.certificates import add_certificates  # noqa: PLC0415
    from service.metrics.exposition import make_registry  # noqa: PLC0415
    from service.metrics.node import NodeMetrics, add_gauges  # noqa: PLC0415

    def free_bytes() -> float:
        folder = settings.spool_dir
        return shutil.disk_usage(folder if folder.exists() else folder.parent).free

    registry = make_registry("node", version(), git_commit())
    metrics = NodeMetrics(registry)
    add_gauges(registry, node, free_bytes, settings.node.free_space_floor_gib * 2**30)
    add_certificates(registry, {"node": settings.node.tls.certificate})
    _serve(settings, registry, settings.monitoring.node_port, stack)
    return metrics


def _worker_metrics(
    settings: Settings,
    waiting: Callable[[], Mapping[str, int] | None] | None,
    stack: contextlib.ExitStack,
) -> Listener:
    from service.metrics.broker import BrokerCollector  # noqa: PLC0415
    from service.metrics.certificates import add_certificates  # noqa: PLC0415
    from service.metrics.exposition import make_registry  # noqa: PLC0415
    from service.metrics.model_server import add_model_server  # noqa: PLC0415
    from service.metrics.worker import WorkerMetrics  # noqa: PLC0415

    registry = make_registry("worker", version(), git_commit())
    if waiting is not None:
        registry.register(BrokerCollector(waiting))
    if settings.models.backend == "triton":
        add_model_server(registry, settings.models.triton.url)
    metrics = WorkerMetrics(registry, [d.name for d in settings.destinations])
    called = {d.name: d.tls for d in settings.destinations}
    add_certificates(registry, {name: tls.certificate for name, tls in called.items() if tls})
    _serve(settings, registry, settings.monitoring.worker_port, stack)
    return metrics


def _serve(
    settings: Settings, registry: CollectorRegistry, port: int | None, stack: contextlib.ExitStack
) -> None:
    from service.metrics.exposition import serve  # noqa: PLC0415

    if port is not None:
        stack.callback(serve(registry, settings.monitoring.host, port))


def _traces(settings: Settings, process: str, stack: contextlib.ExitStack) -> Traces | None:
    endpoint = settings.monitoring.traces
    if endpoint is None:
        return None
    try:
        from service.tracing import Traces  # noqa: PLC0415
    except ImportError as error:
        text = "monitoring.traces needs OpenTelemetry: pip install 'osteon[tracing]'"
        raise SettingsError(text) from error
    traces = Traces(endpoint, process, version())
    stack.callback(traces.close)
    return traces
