"""Whether a request comes from this host itself, and not only through it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import HTTPConnection

_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
# What proxies add. One of them means that somebody else may sit behind the address that we see.
_FORWARDED = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
)


def is_local(request: HTTPConnection) -> bool:
    """Tell whether the peer is loopback, the Host names loopback, and no proxy stands between.

    A name beside the address keeps a page of another site out that made its name resolve to
    loopback. In a container the peer is the bridge, so nothing is local there.
    """
    host = request.headers.get("host", "")
    return (
        request.client is not None
        and _is_loopback(request.client.host)
        and _name(host) in _NAMES
        and not _was_forwarded(request.headers)
    )


def _name(host: str) -> str:
    """Return a Host header without its port."""
    name, colon, port = host.rpartition(":")
    return name.lower() if colon and port.isdecimal() and name else host.lower()


def _was_forwarded(headers: Mapping[str, str]) -> bool:
    return any(name in headers for name in _FORWARDED)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
