"""Settings of access: where people sign in, for how long, how often (docs/access.md)."""

from __future__ import annotations

import ipaddress
from pathlib import Path  # noqa: TC003 - pydantic reads annotations
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from service.sections import Section

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def is_loopback(host: str) -> bool:
    """Tell whether only this host reaches what listens there."""
    return host in _LOOPBACK


def _plain_address(url: str) -> str:
    """Take an address of a whole site, without a path; http only on loopback."""
    parts = urlsplit(url.rstrip("/"))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise ValueError("write it as https://osteon.example.org, without a path")
    return url.rstrip("/")


def _is_secure(url: str) -> bool:
    """Tell whether an address is asked by https, or is this host's."""
    parts = urlsplit(url)
    here = parts.scheme == "http" and is_loopback(parts.hostname or "")
    return here or parts.scheme == "https"


def _secure_address(url: str) -> str:
    if not _is_secure(url):
        raise ValueError("an issuer is asked by https; by http only on this host")
    return url


def _network(text: str) -> str:
    ipaddress.ip_network(text)
    return text


Word = Literal["viewer", "operator", "admin"]
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]


class OidcSection(Section):
    """The OpenID Connect provider of the hospital; none without an issuer."""

    issuer: Annotated[str, AfterValidator(_secure_address)] | None = Field(
        default=None, description="https://..., as the provider's discovery document says it"
    )
    client_id: str = Field(default="osteon", min_length=1, description="as registered there")
    client_secret: SecretStr | None = Field(
        default=None, description="if the client is not public; PKCE is used in any case"
    )
    scopes: tuple[str, ...] = Field(
        default=("openid", "profile"), description="what is asked for; openid has to be in it"
    )
    algorithms: tuple[Algorithm, ...] = Field(
        default=("RS256", "PS256", "ES256", "EdDSA"), description="of the ID token's signature"
    )
    name_claim: str = Field(
        default="preferred_username", description="whose value names people; sub if it is missing"
    )
    role_claim: str = Field(
        default="groups", description="whose values become roles; dots go into nested claims"
    )
    roles: dict[str, Word] = Field(
        default_factory=dict, description="a value of the role claim and its role; others stay out"
    )
    label: str = Field(default="Sign in", description="on the button of the sign-in page")
    ca_file: Path | None = Field(
        default=None, description="certificates (PEM) that the provider's is checked with"
    )
    timeout_s: float = Field(default=10.0, gt=0, description="for one answer of the provider")

    @model_validator(mode="after")
    def _asks_for_identity(self) -> OidcSection:
        if "openid" not in self.scopes:
            raise ValueError("scopes must hold openid")
        return self


class AccessSection(Section):
    """Who comes in off loopback: people and programs with tokens, people by OIDC."""

    public_url: Annotated[str, AfterValidator(_plain_address)] | None = Field(
        default=None, description="the address that browsers use, as https://osteon.example.org"
    )
    proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        default=(), description="reverse proxies whose X-Forwarded-For is believed: 10.0.0.5/32"
    )
    open_metrics: bool = Field(
        default=False, description="/metrics needs no token; it names no patient and no study"
    )
    idle_s: float = Field(
        default=1800.0, gt=0, description="a session ends when nobody was there for so long"
    )
    longest_s: float = Field(default=43200.0, gt=0, description="and after so long in any case")
    calls_per_s: float = Field(
        default=50.0, gt=0, description="requests of one token or session, on average"
    )
    calls_at_once: int = Field(
        default=3000,  # a viewer asks for each image of a study by itself
        ge=1,
        description="and in one burst",
    )
    sign_ins_per_minute: float = Field(
        default=10.0, ge=1, description="attempts to sign in from one address"
    )
    oidc: OidcSection = OidcSection()

    @model_validator(mode="after")
    def _can_come_back(self) -> AccessSection:
        if self.oidc.issuer is not None and not _is_secure(self.public_url or ""):
            raise ValueError("oidc needs a public_url with https: the provider sends people there")
        return self
