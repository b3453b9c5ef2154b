"""Destinations of the settings become what can be called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicom_node.contexts import UNCOMPRESSED_LE
from dicom_node.destination import CStoreDestination
from dicom_node.peer import Peer

if TYPE_CHECKING:
    from dicom_node.destination import Place
    from workers.configuration import Destination


def place_of(destination: Destination) -> Place:
    """Return what calls a destination; raises `InvalidAeTitle`."""
    peer = Peer(
        ae_title=destination.ae_title,
        host=destination.host,
        port=destination.port,
        calling_ae_title=destination.calling_ae_title,
        tls=destination.tls,
    )
    offered = destination.transfer_syntaxes or UNCOMPRESSED_LE
    return CStoreDestination(destination.name, peer, offered)
