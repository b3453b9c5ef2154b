"""Who may have an association: rules over calling AE title, address and client certificate.

An AE title is no proof of who somebody is, an address is a little one, a client certificate is one.
A rule may ask for all three. Nobody comes in whom no rule describes (docs/network_access.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, TypeAlias

from dicom_node.refusal_log import RefusalLog
from dicom_node.rejection import (
    AddressNotAllowed,
    AssociationRefused,
    CalledAeTitleUnknown,
    CallingAeTitleUnknown,
    CertificateNotAllowed,
    OwnCheckRefused,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicom_node.acceptor.services import Caller
    from dicom_node.certificates import PeerCertificate

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address
_MAPPED_BITS = 96  # ::ffff:0:0/96, RFC 4291 2.5.5.2


@dataclass(frozen=True)
class Rule:
    """A peer, or several alike, that may come in if everything holds that is given here."""

    name: str
    """Ours, for logs; never a thing that a peer says."""
    ae_titles: tuple[str, ...] = ()
    """Calling AE titles; any if empty."""
    addresses: tuple[Network, ...] = ()
    """Any if empty."""
    certificate_names: tuple[str, ...] = ()
    """Names, or `sha256:` and a digest, one of which the client certificate has; if empty none
    is asked for."""
    urgent: bool = False
    """Its studies are measured first."""
    bytes_an_hour: int | None = None
    """It may send so much, over all of its associations; more is answered 0xA700."""

    def knows(self, title: str) -> bool:
        """Tell whether it is about this calling AE title."""
        return not self.ae_titles or title in self.ae_titles

    def reaches(self, address: Address | None) -> bool:
        """Tell whether the peer may come from there."""
        if not self.addresses:
            return True
        return address is not None and any(address in network for network in self.addresses)

    def trusts(self, certificate: PeerCertificate | None) -> bool:
        """Tell whether the peer proved what the rule asks for."""
        if not self.certificate_names:
            return True
        return certificate is not None and certificate.is_one_of(self.certificate_names)


LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
ANYBODY = Rule("anybody")
THIS_HOST = Rule("this host", addresses=LOOPBACK)


@dataclass(frozen=True)
class Gate:
    """The rules in their order; the first one that holds counts."""

    called_ae_titles: tuple[str, ...] = ()
    """Ours; any if empty."""
    rules: tuple[Rule, ...] = (ANYBODY,)
    log: RefusalLog = field(default_factory=RefusalLog, repr=False, compare=False)

    def admit(self, caller: Caller) -> Rule:
        """Return the rule that lets the caller in; raises `AssociationRefused`, and logs it.

        The caller is looked at before what it calls: a stranger never learns whether that is here.
        """
        try:
            rule = self.rule_for(caller)
        except AssociationRefused as error:
            if not isinstance(error, OwnCheckRefused):
                self.log.write(_shown(caller.address), str(error), error.code)
            raise
        return rule

    def rule_for(self, caller: Caller) -> Rule:
        """Return the rule that lets the caller in, and log nothing; raises `AssociationRefused`."""
        address = plain_address(caller.address)
        try:
            rule = self._first(caller, address)
        except AssociationRefused:
            if self._is_own_check(caller, address):
                raise OwnCheckRefused("no rule lets a health check of this host in") from None
            raise
        if self.called_ae_titles and caller.called_ae_title.strip() not in self.called_ae_titles:
            raise CalledAeTitleUnknown("another AE title than ours was called")
        return rule

    def _first(self, caller: Caller, address: Address | None) -> Rule:
        about = [rule for rule in self.rules if rule.knows(caller.calling_ae_title.strip())]
        if not about:
            raise CallingAeTitleUnknown("no rule is about its calling AE title")
        near = [rule for rule in about if rule.reaches(address)]
        if not near:
            raise AddressNotAllowed(f"its address is outside the ranges of {_names(about)}")
        for rule in near:
            if rule.trusts(caller.certificate):
                return rule
        shown = "it showed none" if caller.certificate is None else "it showed another"
        raise CertificateNotAllowed(f"{_names(near)} asks for a client certificate: {shown}")

    def _is_own_check(self, caller: Caller, address: Address | None) -> bool:
        """Tell whether it is `osteon health`: this host, under our own title."""
        here = address is not None and any(address in network for network in LOOPBACK)
        return here and caller.calling_ae_title.strip() in self.called_ae_titles


def simple_gate(
    ae_title: str, calling_ae_titles: Sequence[str] = (), *, check_called: bool = True
) -> Gate:
    """Return the rules of plain settings: our title, and titles that may call (empty: anybody)."""
    called = (ae_title.strip(),) if check_called else ()
    titles = tuple(title.strip() for title in calling_ae_titles)
    return Gate(called, (Rule("calling_ae_titles", titles),))


def network(text: str) -> Network:
    """Return an address range in CIDR form, or one address; raises ValueError.

    A range of IPv4 addresses written as IPv6 (`::ffff:10.0.0.0/104`) is the IPv4 range.
    """
    found = ip_network(text.strip())
    if isinstance(found, IPv6Network) and found.prefixlen >= _MAPPED_BITS:
        mapped = found.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, found.prefixlen - _MAPPED_BITS))
    return found


def plain_address(text: str) -> Address | None:
    """Return an address, of a dual-stack socket's IPv4 peer the IPv4 one; None: it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _shown(address: str) -> str:
    return str(plain_address(address) or "a peer without an IP address")


def _names(rules: Sequence[Rule]) -> str:
    return ", ".join(rule.name for rule in rules)
