"""From which address a request comes, through the reverse proxies that are known."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from service.access.policy import Network


def client_address(request: HTTPConnection, proxies: tuple[Network, ...]) -> str:
    """Return the peer's address, or what known proxies say of it (X-Forwarded-For, from the right).

    Anybody can write that header; only what a known proxy put at its end is believed.
    """
    address = request.client.host if request.client else "unknown"
    said = request.headers.get("x-forwarded-for", "")
    for hop in reversed([part.strip() for part in said.split(",") if part.strip()]):
        if not _is_one_of(address, proxies):
            break
        address = hop
    return _plain(address)


def _is_one_of(address: str, proxies: tuple[Network, ...]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in proxies)


def _plain(address: str) -> str:
    """Return an address as such, and `unknown` for what is none: it goes into the audit."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return "unknown"
