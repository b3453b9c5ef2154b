"""Who took part in an event: the active participants of a DICOM audit message (PS3.15 A.5.3)."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

from service.access.audit_codes import APPLICATION, DESTINATION, LAUNCHER, SOURCE, put
from service.access.events import Cast, Code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.audit import AuditRow

_NODES = frozenset({Cast.BROUGHT, Cast.GOT, Cast.TURNED_AWAY})
_ROLES: Mapping[Cast, tuple[Code | None, Code]] = {
    Cast.ASKED: (None, APPLICATION),
    Cast.TOOK: (DESTINATION, SOURCE),
    Cast.BROUGHT: (SOURCE, DESTINATION),
    Cast.GOT: (DESTINATION, SOURCE),
    Cast.LAUNCHED: (LAUNCHER, APPLICATION),
    Cast.TURNED_AWAY: (SOURCE, APPLICATION),
}
"""Of the actor and of us."""
_HOST, _ADDRESS = "1", "2"  # NetworkAccessPointTypeCode


def name_participants(message: Element, row: AuditRow, cast: Cast, source: str) -> None:
    """Append the actor and us; `source` is our AE title."""
    theirs, ours = _ROLES[cast]
    we_ask = cast is Cast.GOT
    actor = SubElement(
        message,
        "ActiveParticipant",
        _identity(row.actor, is_node=cast in _NODES)
        | {"UserIsRequestor": str(not we_ask).lower()}
        | _access_point(row.address, is_node=cast in _NODES),
    )
    if theirs is not None:
        put(actor, "RoleIDCode", theirs)
    if cast not in _NODES:
        put(actor, "RoleIDCode", Code(row.role, f"Osteon's role {row.role}", "99OSTEON"))
    we = SubElement(
        message,
        "ActiveParticipant",
        _identity(source, is_node=True) | {"UserIsRequestor": str(we_ask).lower()},
    )
    put(we, "RoleIDCode", ours)


def _identity(name: str, *, is_node: bool) -> dict[str, str]:
    """AE titles stand where PS3.15 A.5.2.2 has them."""
    known = name or "unknown"
    return {"UserID": known} | ({"AlternativeUserID": f"AETITLES={known}"} if is_node else {})


def _access_point(address: str, *, is_node: bool) -> dict[str, str]:
    """Name an address; a name of a host only where it is one of the settings."""
    if is_address(address):
        kind = _ADDRESS
    elif is_node and address:
        kind = _HOST
    else:
        return {}
    return {"NetworkAccessPointID": address, "NetworkAccessPointTypeCode": kind}


def is_address(text: str) -> bool:
    """Tell whether a text is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
