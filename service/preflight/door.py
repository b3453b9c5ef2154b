"""Who may send to the node, and whether TLS works on both sides and for how long."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dicom_node.certificates import UnusableCertificate, valid_until
from service.access_section import is_loopback
from service.node_access import NOBODY_YET, client_files, gate_of, is_closed, server_files
from service.preflight.finding import ok, problem, skipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from service.destination_section import DestinationSettings
    from service.node_section import PeerSection
    from service.preflight.finding import Finding
    from service.settings import Settings

SOON_DAYS = 30
_WHO, _BACK, _OURS, _THEIRS = "WHO_MAY_SEND", "CALLS_BACK", "NODE_TLS", "PEER_TLS"


def check_door(settings: Settings) -> Iterator[Finding]:
    """Look at the rules, and make every TLS context that node and workers will make."""
    yield _who(settings)
    yield from _callers_back(settings)
    yield _node_tls(settings)
    yield from _peers_tls(settings)


def _who(settings: Settings) -> Finding:
    node = settings.node
    if is_closed(node):
        here = is_loopback(node.host)
        return ok(_WHO, "this host, and no other reaches it") if here else problem(_WHO, NOBODY_YET)
    rules = gate_of(node).rules
    bare = [r.name for r in rules if not (r.ae_titles or r.addresses or r.certificate_names)]
    if bare:
        text = f"{', '.join(bare)} lets anybody in"
        return problem(_WHO, f"{text}: give it ae_titles, addresses or certificates")
    by_title = [r.name for r in rules if not (r.addresses or r.certificate_names)]
    if by_title:
        text = f"{', '.join(by_title)}: by AE title alone, which proves nothing"
        return ok(_WHO, f"{text}; node.peers can name addresses and certificates")
    return ok(_WHO, ", ".join(rule.name for rule in rules))


def _callers_back(settings: Settings) -> Iterator[Finding]:
    """Name the systems that have to call us in return and that no rule is about."""
    back = {d.ae_title.strip(): d.name for d in settings.destinations if d.proof == "commitment"}
    archive = settings.archive
    if archive.host is not None and archive.retrieve == "move":
        back[archive.ae_title.strip()] = "the archive"
    rules = gate_of(settings.node).rules
    for title, name in back.items():
        if is_closed(settings.node) or not any(rule.knows(title) for rule in rules):
            text = f"{name} calls us in return as {title} and no rule lets it in: node.peers or"
            yield problem(_BACK, f"{text} node.calling_ae_titles")


def _node_tls(settings: Settings) -> Finding:
    files = server_files(settings.node.tls)
    if files is None:
        return skipped(_OURS, "DICOM comes in without TLS (node.tls)")
    from dicom_node.tls import server_context  # noqa: PLC0415

    try:
        server_context(files)
    except UnusableCertificate as error:
        return problem(_OURS, str(error))
    return _lasting(_OURS, "the node", files.certificate)


def _peers_tls(settings: Settings) -> Iterator[Finding]:
    from dicom_node.tls import client_context  # noqa: PLC0415

    back = (peer for peer in settings.node.peers if peer.host is not None)
    called: list[DestinationSettings | PeerSection] = [*settings.destinations, *back]
    for peer in called:
        files = client_files(peer.tls)
        if files is None:
            continue
        try:
            client_context(files)
        except UnusableCertificate as error:
            yield problem(_THEIRS, f"{peer.name}: {error}")
            continue
        if files.certificate is not None:
            yield _lasting(_THEIRS, f"our certificate for {peer.name}", files.certificate)
        else:
            yield ok(_THEIRS, f"{peer.name} is called over TLS without a certificate of ours")


def _lasting(code: str, whose: str, certificate: Path) -> Finding:
    """Say how long a certificate is still good."""
    try:
        until = valid_until(certificate)
    except UnusableCertificate as error:
        return problem(code, str(error))
    text = f"{whose}: {certificate.name} is valid until {until:%Y-%m-%d}"
    if (until - datetime.now(UTC)).days < SOON_DAYS:
        return problem(code, f"{text}: put a new one in its place, nothing has to be restarted")
    return ok(code, text)
