"""HTTP to an address of the settings: what was resolved is checked and called, nothing followed.

The address is an operator's, so it may lie in the hospital or on this host; what no archive has
(link-local, multicast, unspecified) is refused, so that a name which somebody else gives a meaning
leads to no service of a cloud or a switch. Redirects are not followed, proxies of the environment
are not used, and of an answer only so much is read as an answer may have.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import HTTPError, SSLError

from dicom_node.errors import PeerRefused, PeerUnavailable
from dicom_node.web_peer import USUAL_PORTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dicom_node.web_peer import WebPeer

_MOST_BYTES = 4 * 1024 * 1024
_LONGEST_TOKEN = 16 * 1024


@dataclass(frozen=True)
class WebAnswer:
    """Status and body of an answer; the body may hold values of patients."""

    status: int
    body: bytes


def call(
    peer: WebPeer,
    method: str,
    resource: str,
    headers: Mapping[str, str],
    body: Iterable[bytes] | None = None,
) -> WebAnswer:
    """Send one request to the first address of the peer's name that takes a connection.

    Raises:
        PeerUnavailable: nobody answers, or not in time.
        PeerRefused: its name means what is not called, its certificate is not proven, or its
            token cannot be read.

    """
    pool = _pool(peer, _address(peer))
    try:
        answer = pool.urlopen(
            method,
            f"{peer.path}{resource}",
            body=body,
            headers={"Host": _authority(peer), "User-Agent": "osteon", **_known(peer), **headers},
            redirect=False,
            retries=False,
            assert_same_host=False,
            preload_content=False,
        )
        found = answer.read(_MOST_BYTES + 1)
        answer.close()
    except SSLError:
        raise PeerRefused(f"the certificate of {peer.name} is not proven") from None
    except (HTTPError, OSError):
        raise PeerUnavailable(f"{peer.name} does not answer; is it running?") from None
    finally:
        pool.close()
    if len(found) > _MOST_BYTES:
        raise PeerRefused(f"the answer of {peer.name} is longer than any that is read")
    return WebAnswer(answer.status, found)


def _known(peer: WebPeer) -> dict[str, str]:
    if peer.token_file is None:
        return {}
    try:
        with peer.token_file.open(encoding="ascii") as file:
            token = file.read(_LONGEST_TOKEN).strip()
    except (OSError, UnicodeDecodeError):
        raise PeerRefused(f"the token for {peer.name} cannot be read") from None
    if not token.isprintable():
        raise PeerRefused(f"the token for {peer.name} has more than one line")
    return {"Authorization": f"Bearer {token}"}


def _address(peer: WebPeer) -> str:
    try:
        found = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise PeerUnavailable(f"the host name of {peer.name} is not known") from None
    # A name such as localhost often has both, and most services listen on IPv4.
    address = str(min(found, key=lambda entry: entry[0] != socket.AF_INET)[4][0])
    meant = ipaddress.ip_address(address.partition("%")[0])
    if meant.is_link_local or meant.is_multicast or meant.is_unspecified:
        raise PeerRefused(f"{peer.name} means an address that no archive has")
    return address


def _authority(peer: WebPeer) -> str:
    host = f"[{peer.host}]" if ":" in peer.host else peer.host
    usual = USUAL_PORTS["http" if peer.tls is None else "https"]
    return host if peer.port == usual else f"{host}:{peer.port}"


def _pool(peer: WebPeer, address: str) -> HTTPConnectionPool:
    timeout = Timeout(connect=peer.connect_s, read=peer.answer_s)
    if peer.tls is None:
        return HTTPConnectionPool(address, peer.port, timeout=timeout)
    return HTTPSConnectionPool(
        address,
        peer.port,
        timeout=timeout,
        ssl_context=peer.tls,
        server_hostname=peer.host,
        assert_hostname=peer.host,
    )
