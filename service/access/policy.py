"""What this installation decided about access: plain values, made from settings by the wiring."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003 - dataclasses are read at run time

from service.access.caller import Role  # noqa: TC001 - the same

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Provider:
    """An OpenID Connect provider and how its claims are read."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    """Empty: a public client, which PKCE alone protects."""
    scopes: tuple[str, ...]
    algorithms: tuple[str, ...]
    """What an ID token may be signed with; never none, never a shared secret."""
    name_claim: str
    role_claim: str
    """A name, or names with dots where claims are nested (`realm_access.roles`)."""
    roles: tuple[tuple[str, Role], ...]
    """A value of the role claim, and what it makes of somebody; the highest counts."""
    label: str
    ca_file: Path | None = None
    timeout_s: float = 10.0


@dataclass(frozen=True)
class Policy:
    """How long, how often, through whom, and where people sign in."""

    public_url: str = ""
    """The address at which browsers reach this installation, without a path."""
    proxies: tuple[Network, ...] = ()
    """Reverse proxies whose word on the client's address is believed."""
    open_metrics: bool = False
    idle_s: float = 1800.0
    longest_s: float = 43200.0
    calls_per_s: float = 50.0
    calls_at_once: int = 3000
    sign_ins_per_minute: float = 10.0
    provider: Provider | None = None

    @property
    def is_https(self) -> bool:
        """Tell whether browsers come by https, which a proxy may end before us."""
        return self.public_url.startswith("https://")


LOCAL_POLICY = Policy()
"""Of an installation that nobody set up: this host only."""
