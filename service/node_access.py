"""What the settings say of who may send to the node and of TLS, as `dicom_node` works with them."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from dicom_node.acceptor.services import Caller
from dicom_node.gate import THIS_HOST, Gate, Rule, network
from dicom_node.rejection import AssociationRefused
from service.access_section import is_loopback

if TYPE_CHECKING:
    import ssl

    from pydantic import SecretStr

    from dicom_node.peer import Peer
    from dicom_node.tls import ClientFiles, ServerFiles
    from service.node_section import NodeSettings, PeerSection
    from service.settings import Settings
    from service.tls_sections import ClientTlsSection, ServerTlsSection

_LOG = logging.getLogger(__name__)

NOBODY_YET = (
    "nobody but this host may send: name the senders in node.peers or node.calling_ae_titles"
)


def gate_of(node: NodeSettings) -> Gate:
    """Return who may send: the peers, then the plain titles; while there are none, this host."""
    rules = [_rule(peer) for peer in node.peers]
    if node.calling_ae_titles:
        titles = tuple(title.strip() for title in node.calling_ae_titles)
        rules.append(Rule("node.calling_ae_titles", titles))
    return Gate((node.ae_title.strip(),), tuple(rules) or (THIS_HOST,))


def is_closed(node: NodeSettings) -> bool:
    """Tell whether no setting says who may send."""
    return not node.peers and not node.calling_ae_titles


def tell_if_closed(node: NodeSettings) -> None:
    """Say in the log that others may reach the door and none of them comes in yet."""
    if is_closed(node) and not is_loopback(node.host):
        _LOG.warning(NOBODY_YET, extra={"event": "nobody_may_send"})


def server_files(tls: ServerTlsSection) -> ServerFiles | None:
    """Return what the node shows; None: it speaks without TLS."""
    from dicom_node.tls import ServerFiles  # noqa: PLC0415 - needed with TLS only

    if tls.certificate is None:
        return None
    return ServerFiles(
        certificate=tls.certificate.absolute(),
        key=(tls.key or tls.certificate).absolute(),
        authorities=None if tls.authorities is None else tls.authorities.absolute(),
        required=tls.required,
        key_password=_told(tls.key_password),
    )


def server_tls(tls: ServerTlsSection) -> ssl.SSLContext | None:
    """Return the context of the door; raises `UnusableCertificate`."""
    files = server_files(tls)
    if files is None:
        return None
    from dicom_node.tls import server_context  # noqa: PLC0415

    return server_context(files)


def client_files(tls: ClientTlsSection | None) -> ClientFiles | None:
    """Return how a destination is called; None: without TLS."""
    if tls is None:
        return None
    from dicom_node.tls import ClientFiles  # noqa: PLC0415

    return ClientFiles(
        authorities=None if tls.authorities is None else tls.authorities.absolute(),
        certificate=None if tls.certificate is None else tls.certificate.absolute(),
        key=None if tls.key is None else tls.key.absolute(),
        server_name=tls.server_name,
        check_name=tls.check_name,
        key_password=_told(tls.key_password),
    )


def own_title(node: NodeSettings) -> str | None:
    """Return an AE title by which this host itself comes in; None: no rule lets it."""
    gate, ours = gate_of(node), node.ae_title
    for title in (ours, *(title for rule in gate.rules for title in rule.ae_titles)):
        with suppress(AssociationRefused):
            gate.rule_for(Caller(title, ours, "127.0.0.1"))
            return title
    return None


def own_files(tls: ServerTlsSection) -> ClientFiles | None:
    """Return how this host calls its own node: each believes the other's certificate alone."""
    from dicom_node.tls import ClientFiles  # noqa: PLC0415

    files = server_files(tls)
    if files is None:
        return None
    certificate, key = files.certificate, files.key
    return ClientFiles(
        certificate, certificate, key, check_name=False, key_password=files.key_password
    )


def report_peers(settings: Settings) -> dict[str, Peer]:
    """Return by AE title where we report storage commitment: node.peers, else destinations."""
    from dicom_node.peer import Peer  # noqa: PLC0415

    ours = settings.node.ae_title
    known = {
        d.ae_title.strip(): Peer(d.ae_title, d.host, d.port, ours, tls=client_files(d.tls))
        for d in settings.destinations
    }
    for row in settings.node.peers:
        if row.host is not None:
            tls = client_files(row.tls)
            known |= {t.strip(): Peer(t, row.host, row.port, ours, tls=tls) for t in row.ae_titles}
    return known


def _rule(peer: PeerSection) -> Rule:
    return Rule(
        name=peer.name,
        ae_titles=tuple(title.strip() for title in peer.ae_titles),
        addresses=tuple(network(text) for text in peer.addresses),
        certificate_names=peer.certificates,
        urgent=peer.urgent,
        bytes_an_hour=None if peer.gib_an_hour is None else int(peer.gib_an_hour * 2**30),
    )


def _told(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
