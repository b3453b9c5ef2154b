"""What the configuration says of earlier studies, as the steps of a job take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicom_node.network import Timeouts
from dicom_node.peer import Peer
from workers.prior_choice import PriorRules
from workers.priors import PriorPolicy

if TYPE_CHECKING:
    from workers.configuration import PriorArchive, WorkerConfiguration


def policy_of(configuration: WorkerConfiguration) -> PriorPolicy:
    """Return whom a worker asks, for what, and for how long a study waits."""
    archive, hold = configuration.archive, configuration.hold_conflicts
    if archive is None:
        return PriorPolicy(hold_conflicts=hold)
    rules = PriorRules(archive.newest, archive.within_days, archive.description)
    return PriorPolicy(peer_of(archive), rules, archive.wait_s, hold_conflicts=hold)


def peer_of(archive: PriorArchive, answer_s: float = 60.0) -> Peer:
    """Return how the archive is called; each of its answers may take `answer_s`."""
    return Peer(
        ae_title=archive.ae_title,
        host=archive.host,
        port=archive.port,
        calling_ae_title=archive.calling_ae_title,
        timeouts=Timeouts(negotiate_s=30.0, answer_s=answer_s),
        tls=archive.tls,
    )
