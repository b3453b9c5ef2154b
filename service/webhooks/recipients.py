"""Which addresses may be told: names by the settings, and what a name resolves to.

The address that was checked is the one that is connected to, so a name that means another host a
moment later leads nowhere else.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

_PORTS = {"https": 443, "http": 80}
_LONGEST = 1000


class RecipientRefused(Exception):  # noqa: N818 - it names the condition
    """An address must not be told; `code` is stable, the message names no part of the address."""

    def __init__(self, code: str, message: str) -> None:
        """Say why."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Target:
    """An address in its parts."""

    scheme: str
    host: str
    port: int
    path: str
    """With the query."""

    @property
    def authority(self) -> str:
        """Return the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True)
class Recipients:
    """The allow-list of the settings (`service.webhook_section`)."""

    hosts: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    allow_http: bool = False

    def target(self, url: str) -> Target:
        """Return the parts of an allowed address.

        Raises:
            RecipientRefused: it is no address of this kind, or its host is not allowed.

        """
        target = _parts(url)
        if target.scheme == "http" and not self.allow_http:
            raise RecipientRefused("HTTPS_ONLY", "the address must begin with https://")
        named = {target.host, f"{target.host}:{target.port}", target.authority}
        allowed = {host.lower() for host in self.hosts}
        if not named & allowed or (
            target.port != _PORTS[target.scheme] and target.authority not in allowed
        ):
            text = "the host is not one of webhooks.hosts in the settings of this installation"
            raise RecipientRefused("HOST_NOT_ALLOWED", text)
        return target

    def addresses(self, target: Target) -> tuple[str, ...]:
        """Return what the host's name means at this moment, all of it checked.

        Raises:
            RecipientRefused: it means nothing, or an address that must not be reached.

        """
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise RecipientRefused("NAME_NOT_FOUND", "the host's name is not known") from None
        addresses = tuple(dict.fromkeys(str(row[4][0]) for row in found))
        for address in addresses:
            if not self._may_reach(_plain(address)):
                text = "the host's name means an address that webhooks must not reach"
                raise RecipientRefused("ADDRESS_NOT_ALLOWED", text)
        return addresses

    @cached_property
    def _networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ipaddress.ip_network(network) for network in self.networks)

    def _may_reach(self, address: IPv4Address | IPv6Address) -> bool:
        if self.networks:
            return any(address in network for network in self._networks)
        refused = (
            address.is_loopback,
            address.is_link_local,
            address.is_multicast,
            address.is_unspecified,
            address.is_reserved,
        )
        return not any(refused)


def _plain(address: str) -> IPv4Address | IPv6Address:
    """Read an address; of an IPv4 address in IPv6 clothes the IPv4 address."""
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return found if inner is None else inner


def _parts(url: str) -> Target:
    wrong = RecipientRefused("URL_NOT_VALID", "this is no address that can be called")
    if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise wrong
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.fragment or "\\" in url:
        raise wrong
    if parts.username is not None or parts.password is not None:
        raise RecipientRefused("URL_NOT_VALID", "an address with a name or password is refused")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], path)
