"""The errand of the node: earlier studies that workers want are fetched (docs/priors.md)."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from service.archive_settings import prior_archive

if TYPE_CHECKING:
    from dicom_node.node import Node
    from jobs.store import JobStore
    from service.node_errands import Errand
    from service.settings import Settings

_ANSWER_S = 300.0  # an archive may have to take a study from tape


def prior_errands(settings: Settings, node: Node, store: JobStore) -> tuple[Errand, ...]:
    """Return what fetches earlier studies beside the receiver; none where no archive is named."""
    archive = prior_archive(settings)
    if archive is None:
        return ()
    from dicom_node.fetcher import Fetcher  # noqa: PLC0415
    from dicom_node.fetching import Archive  # noqa: PLC0415
    from workers.prior_policy import peer_of  # noqa: PLC0415

    peer = peer_of(archive, _ANSWER_S)
    where = Archive(peer, settings.archive.retrieve, settings.node.ae_title)
    owner = f"{socket.gethostname()}:{os.getpid()}"
    return (Fetcher(where, node.spool, store, node.arrive, owner).run,)
