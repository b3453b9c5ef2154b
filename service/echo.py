"""Whether a DICOM peer answers us (C-ECHO), as one sentence for a person."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.configured import DicomPeer

_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Echo:
    """How one try ended."""

    peer: str
    """Name of the destination."""
    ok: bool
    code: str
    """ECHO_OK, else the code of what went wrong."""
    sentence: str
    seconds: float
    at: datetime
    """UTC."""


def echo_peer(peer: DicomPeer, patience_s: float = _PATIENCE_S) -> Echo:
    """Send a C-ECHO under the AE title that results come from; each step may take `patience_s`."""
    from dicom_node.errors import DicomNodeError  # noqa: PLC0415 - pynetdicom takes time to load
    from dicom_node.network import Timeouts  # noqa: PLC0415
    from dicom_node.peer import Peer, echo  # noqa: PLC0415

    at, begun = datetime.now(UTC), time.monotonic()
    ours = peer.calling_ae_title
    try:
        timeouts = Timeouts(patience_s, patience_s, patience_s)
        echo(Peer(peer.ae_title, peer.host, peer.port, ours, timeouts, peer.tls))
    except DicomNodeError as error:
        return Echo(peer.name, False, error.code, f"{error}", time.monotonic() - begun, at)
    sentence = f"{peer.ae_title} at {peer.host}:{peer.port} answers {ours}"
    return Echo(peer.name, True, "ECHO_OK", sentence, time.monotonic() - begun, at)
