"""The node put together: the DICOM door, and what runs beside it in its process.

As in `service.wiring` imports stand inside the functions: each process loads only its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from service.commitment_reports import commitment_reports
from service.fetching import prior_errands
from service.node_access import gate_of, report_peers, server_tls, tell_if_closed
from service.node_errands import errands
from service.wiring import fit_limits, make_queue

if TYPE_CHECKING:
    import threading

    from dicom_node.acceptor.services import NormalizedService
    from dicom_node.content import ContentCheck
    from dicom_node.node import Node
    from dicom_node.owed_reports import OwedReports
    from dicom_node.receive import ReceiverSettings
    from dicom_node.spool import Spool
    from dicom_node.witness import Witness
    from jobs.store import JobStore
    from service.settings import Settings


def make_node(
    settings: Settings,
    store: JobStore,
    owed: OwedReports | None = None,
    witness: Witness | None = None,
) -> Node:
    """Put the DICOM door together; it listens once it runs. Without `witness` none is told.

    Raises:
        UnusableCertificate: the files of node.tls do not work.

    """
    from dicom_node.completion import ContentFirst  # noqa: PLC0415
    from dicom_node.node import Node  # noqa: PLC0415

    spool, content = _spool(settings), settings.node.content
    queue, check = make_queue(settings, store), _content_check(settings)
    reports = commitment_reports(store, queue)
    services = (*_services(spool, owed or owed_reports(settings)), reports)
    rule = ContentFirst(content.settle_s, settings.node.quiet_s, settings.node.deadline_s)
    receiver = _receiver(settings, services)
    if witness is not None:
        receiver = replace(receiver, witness=witness)
    return Node(receiver, spool, store, queue, rule, check)


def run_node(settings: Settings, store: JobStore, stop: threading.Event) -> None:
    """Receive until `stop` is set; raises as `make_node` and `Node.run`."""
    from service.auditing.node import witnessing  # noqa: PLC0415
    from service.watching import watched_node  # noqa: PLC0415

    tell_if_closed(settings.node)
    owed = owed_reports(settings)
    with witnessing(store) as witness:
        node = make_node(settings, store, owed, witness)
        what = (owed.run, *prior_errands(settings, node, store))
        with watched_node(settings, node), errands(node.started, *what):
            node.run(stop)


def owed_reports(settings: Settings) -> OwedReports:
    """Return who brings reports of storage commitment to senders that hung up."""
    from dicom_node.owed_reports import OwedReports  # noqa: PLC0415

    return OwedReports(settings.spool_dir / "owed", report_peers(settings))


def _services(spool: Spool, owed: OwedReports) -> tuple[NormalizedService, ...]:
    from dicom_node.commitment_scp import CommitmentService, SpoolKeeps  # noqa: PLC0415

    return (CommitmentService(SpoolKeeps(spool), owed).service(),)


def _receiver(settings: Settings, services: tuple[NormalizedService, ...]) -> ReceiverSettings:
    from dicom_node.acceptor.limits import Limits  # noqa: PLC0415
    from dicom_node.receive import ReceiverSettings  # noqa: PLC0415

    node = settings.node
    return ReceiverSettings(
        ae_title=node.ae_title,
        host=node.host,
        port=node.port,
        maximum_associations=node.maximum_associations,
        gate=gate_of(node),
        urgent_ae_titles=node.urgent_ae_titles,
        association_bytes=int(node.maximum_association_gib * 2**30),
        limits=Limits(object_bytes=int(node.maximum_object_gib * 2**30)),
        tls=server_tls(node.tls),
        services=services,
    )


def _spool(settings: Settings) -> Spool:
    from dicom_node.spool import Spool  # noqa: PLC0415

    # Nodes meet in the database: with SQLite, a file of this host, the spool is this node's alone.
    shared = not settings.store_url.startswith("sqlite")
    floor_bytes = int(settings.node.free_space_floor_gib * 2**30)
    return Spool(settings.spool_dir, floor_bytes=floor_bytes, shared=shared)


def _content_check(settings: Settings) -> ContentCheck | None:
    from dicom_objects.reading.completeness import WholeBody  # noqa: PLC0415
    from workers.content import ContentProcess  # noqa: PLC0415

    content = settings.node.content
    if not content.enabled:
        return None
    expected = WholeBody(content.coverage_mm, content.b_values, fit_limits(settings))
    return ContentProcess(expected)
