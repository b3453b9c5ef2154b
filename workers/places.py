"""Destinations of the settings become what can be called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicom_node.contexts import UNCOMPRESSED_LE
from dicom_node.destination import CStoreDestination
from dicom_node.peer import Peer

if TYPE_CHECKING:
    from dicom_node.destination import Place
    from workers.configuration import Destination, WebAddress


def place_of(destination: Destination) -> Place:
    """Return what calls a destination; raises `InvalidAeTitle` or `InvalidAddress`."""
    if destination.web is not None:
        return _service(destination.name, destination.web)
    peer = Peer(
        ae_title=destination.ae_title,
        host=destination.host,
        port=destination.port,
        calling_ae_title=destination.calling_ae_title,
        tls=destination.tls,
    )
    offered = destination.transfer_syntaxes or UNCOMPRESSED_LE
    return CStoreDestination(destination.name, peer, offered)


def _service(name: str, web: WebAddress) -> Place:
    from dicom_node.stow import StowDestination  # noqa: PLC0415 - urllib3 is needed with it only
    from dicom_node.web_peer import WebPeer  # noqa: PLC0415

    return StowDestination(name, WebPeer(web.url, web.token_file, web.ca_file))
