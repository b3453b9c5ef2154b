"""A DICOM application that we call: how to reach it, and what it means when that fails."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pynetdicom import build_context, build_role, evt

from dicom_node.certificates import UnusableCertificate
from dicom_node.contexts import EXPLICIT_LE, IMPLICIT_LE, VERIFICATION
from dicom_node.errors import PeerError, PeerRefused, PeerUnavailable
from dicom_node.network import (
    MAXIMUM_PDU,
    Timeouts,
    application_entity,
    check_ae_title,
    send_at_once,
)
from dicom_node.tls import client_context

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pynetdicom.association import Association
    from pynetdicom.events import EventHandlerType

    from dicom_node.tls import ClientContext, ClientFiles

_REJECTED_TRANSIENT = 2  # PS3.8 Table 9-21


@dataclass(frozen=True)
class Peer:
    """A DICOM application that we call."""

    ae_title: str
    host: str
    port: int
    calling_ae_title: str = "OSTEON"
    timeouts: Timeouts = field(default_factory=lambda: Timeouts(negotiate_s=30.0))
    tls: ClientFiles | None = None
    """How it is called over TLS, by files that are read anew for each call; None: without."""

    def __post_init__(self) -> None:
        """Refuse titles that cannot be sent; raises `InvalidAeTitle`."""
        check_ae_title(self.ae_title)
        check_ae_title(self.calling_ae_title)


def echo(peer: Peer) -> None:
    """Ask whether the peer answers us; raises `PeerUnavailable` or `PeerRefused`."""
    with associated(
        peer, [(VERIFICATION, EXPLICIT_LE), (VERIFICATION, IMPLICIT_LE)]
    ) as association:
        answer = association.send_c_echo()
    if "Status" not in answer:
        raise PeerUnavailable(f"{_name(peer)} did not answer C-ECHO in time")
    if answer.Status != 0:
        raise PeerRefused(f"{_name(peer)} answered C-ECHO with status 0x{answer.Status:04X}")


@dataclass(frozen=True)
class Answering:
    """What we answer on an association that we opened ourselves."""

    storage_classes: tuple[str, ...] = ()
    """SOP classes whose objects the peer may send us on it, as C-GET does (PS3.7 D.3.3.4)."""
    handlers: tuple[EventHandlerType, ...] = ()


@contextmanager
def associated(
    peer: Peer, pairs: Sequence[tuple[str, str]], answering: Answering | None = None
) -> Iterator[Association]:
    """Open an association, release it at the end.

    One context for each pair, so that the choice of the transfer syntax is ours.
    """
    ours = answering or Answering()
    entity = application_entity(peer.calling_ae_title, peer.timeouts)
    tls = _tls(peer)
    association = entity.associate(
        _address(peer),
        peer.port,
        contexts=[build_context(sop_class, syntax) for sop_class, syntax in pairs],
        ae_title=peer.ae_title,
        max_pdu=MAXIMUM_PDU,
        ext_neg=[build_role(uid, scp_role=True) for uid in ours.storage_classes],
        evt_handlers=[(evt.EVT_CONN_OPEN, send_at_once), *ours.handlers],
        tls_args=tls,
    )
    if not association.is_established:
        if tls is not None and tls[0].trouble:
            raise PeerRefused(f"TLS to {_name(peer)} does not come about: {tls[0].trouble}")
        raise _failure(peer, association)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def _tls(peer: Peer) -> tuple[ClientContext, str] | None:
    """Return what pynetdicom needs for TLS: the context, and the name that we expect."""
    if peer.tls is None:
        return None
    try:
        return client_context(peer.tls), peer.tls.server_name or peer.host
    except UnusableCertificate as error:
        raise PeerRefused(f"{_name(peer)} cannot be called over TLS: {error}") from None


def _failure(peer: Peer, association: Association) -> PeerError:
    if association.rejected_contexts:
        return PeerRefused(f"{_name(peer)} takes none of the objects offered to it")
    if not association.is_rejected:
        return PeerUnavailable(f"{_name(peer)} does not answer; is it running, is the way open?")
    answer = association.acceptor.primitive
    if answer is not None and answer.result == _REJECTED_TRANSIENT:
        return PeerUnavailable(f"{_name(peer)} takes no association now")
    return PeerRefused(
        f"{_name(peer)} rejects us: check its AE title {peer.ae_title!r} "
        f"and that it knows ours, {peer.calling_ae_title!r}"
    )


def _address(peer: Peer) -> str:
    """Return an IP address: pynetdicom takes a name without a dot for an IPv6 address."""
    try:
        found = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        raise PeerUnavailable(f"the host name of {_name(peer)} is not known") from None
    # A name such as localhost often has both, and the peer listens on IPv4.
    best = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return str(best[4][0])


def _name(peer: Peer) -> str:
    return f"{peer.ae_title} at {peer.host}:{peer.port}"
