"""What the settings say of access, as the plain values that `service.access` works with."""

from __future__ import annotations

import ipaddress
import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from service.access.caller import Role
from service.access.identify import is_set_up
from service.access.policy import Policy, Provider
from service.access.refusals import NOBODY_YET
from service.access_section import is_loopback

if TYPE_CHECKING:
    from jobs.store import JobStore
    from service.access_section import OidcSection
    from service.settings import Settings

_LOG = logging.getLogger(__name__)


def access_policy(settings: Settings) -> Policy:
    """Return how long, how often, through whom and where people come in."""
    access = settings.access
    return Policy(
        public_url=access.public_url or "",
        proxies=tuple(ipaddress.ip_network(text) for text in access.proxies),
        open_metrics=access.open_metrics,
        idle_s=access.idle_s,
        longest_s=access.longest_s,
        calls_per_s=access.calls_per_s,
        calls_at_once=access.calls_at_once,
        sign_ins_per_minute=access.sign_ins_per_minute,
        provider=None if access.oidc.issuer is None else _provider(access.oidc, access.oidc.issuer),
    )


def host_names(settings: Settings, loopback: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that a browser may call us by; all of them once we listen to others."""
    if not is_loopback(settings.api.host):
        return ("*",)
    public = urlsplit(settings.access.public_url or "").hostname
    return (*loopback, public) if public else loopback


def tell_if_closed(settings: Settings, store: JobStore, policy: Policy) -> None:
    """Say in the log that others may reach us and nobody of them can sign in yet."""
    if not is_loopback(settings.api.host) and not is_set_up(store, policy):
        _LOG.warning(NOBODY_YET, extra={"event": "nobody_can_sign_in"})


def _provider(oidc: OidcSection, issuer: str) -> Provider:
    secret = oidc.client_secret
    return Provider(
        issuer=issuer,
        client_id=oidc.client_id,
        client_secret="" if secret is None else secret.get_secret_value(),
        scopes=oidc.scopes,
        algorithms=oidc.algorithms,
        name_claim=oidc.name_claim,
        role_claim=oidc.role_claim,
        roles=tuple((value, Role.named(word)) for value, word in oidc.roles.items()),
        label=oidc.label,
        ca_file=oidc.ca_file,
        timeout_s=oidc.timeout_s,
    )
