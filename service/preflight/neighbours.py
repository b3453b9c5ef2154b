"""The PACS: whether it answers us, and whether it reaches us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicom_node.acceptor.services import Caller
from dicom_node.echo_wait import wait_for_echo
from dicom_node.errors import DicomNodeError
from dicom_node.rejection import AssociationRefused, CalledAeTitleUnknown
from service.configured import configured
from service.echo import echo_peer
from service.node_access import gate_of, server_tls
from service.preflight.finding import ok, problem, skipped
from service.worker_settings import service_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicom_node.echo_wait import EchoHeard
    from service.preflight.finding import Finding
    from service.settings import Settings

_PATIENCE_S = 30.0
_TO, _FROM, _WEB = "ECHO_TO_PACS", "ECHO_FROM_PACS", "DICOMWEB_SERVICE"


def check_destinations(settings: Settings) -> Iterator[Finding]:
    """Send each destination a C-ECHO, under the AE title that results will come from."""
    if not settings.destinations and not settings.stow:
        text = "there are no [[destinations]]: results would stay here; name the PACS in the"
        yield problem(_TO, f"{text} settings")
    for peer in configured(settings).peers:
        heard = echo_peer(peer, _PATIENCE_S)
        text = f"{peer.name}: {heard.sentence}"
        yield ok(_TO, text) if heard.ok else problem(_TO, f"{text} [{heard.code}]")
    yield from _services(settings)


def _services(settings: Settings) -> Iterator[Finding]:
    """Ask each DICOMweb service for a study, with the token that results will come with."""
    from workers.places import place_of  # noqa: PLC0415 - pynetdicom takes time to load

    for given in settings.stow:
        trouble = place_of(service_of(given)).trouble()
        if trouble:
            yield problem(_WEB, f"{given.name}: {trouble}; correct [[stow]] or let it know us")
        else:
            yield ok(_WEB, f"{given.name} answers")


def check_echo_back(settings: Settings, seconds: float) -> Finding:
    """Wait so long for a C-ECHO of the PACS at the node's own address."""
    node = settings.node
    ask = f"send a C-ECHO from the PACS to {node.ae_title} at this host, port {node.port}"
    if seconds <= 0:
        return skipped(_FROM, f"{ask}, while `osteon doctor --wait-echo 300` waits for it")
    try:
        tls = server_tls(node.tls)
        heard = wait_for_echo(node.ae_title, node.host, node.port, seconds, tls)
    except DicomNodeError as error:
        text = f"{error}; where the node runs it answers itself: {ask} and read its answer there"
        return problem(_FROM, text)
    if heard is None:
        text = f"nothing came in {seconds:g} s; {ask}: its firewall, the address and the port"
        return problem(_FROM, f"{text} are what is mostly wrong")
    return _judged(heard, settings)


def _judged(heard: EchoHeard, settings: Settings) -> Finding:
    node = settings.node
    who = f"{heard.calling_ae_title} at {heard.address}"
    caller = Caller(heard.calling_ae_title, heard.called_ae_title, heard.address, heard.certificate)
    try:
        rule = gate_of(node).rule_for(caller)
    except CalledAeTitleUnknown:
        text = f"{who} called {heard.called_ae_title!r}, our AE title is {node.ae_title!r}"
        return problem(_FROM, f"{text}: correct it in the PACS")
    except AssociationRefused as error:
        text = f"{who} would be refused: {error} [{error.code}]; correct node.peers or"
        return problem(_FROM, f"{text} node.calling_ae_titles")
    return ok(_FROM, f"{who} reached {node.ae_title}, by {rule.name}")
