"""Sign-in by OpenID Connect: authorization code with PKCE, state, nonce; a proven ID token; a role.

State, nonce and code verifier derive from one random secret in a cookie of the browser that began
(`service.access.credentials.derived`), so nothing about a sign-in under way is kept here, and any
process can end what another began.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError

from service.access.credentials import derived, is_same
from service.access.oidc_errors import NoRole, NotThisBrowser, ProviderWrong
from service.access.oidc_provider import is_secure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from joserfc.jwk import KeySet

    from service.access.caller import Role
    from service.access.oidc_provider import ProviderClient
    from service.access.policy import Provider

CALLBACK = "/sign-in/callback"
_LEEWAY_S = 60


@dataclass(frozen=True)
class Person:
    """Somebody whom the provider knows and who has a role here."""

    name: str
    role: Role


@dataclass(frozen=True)
class SignIn:
    """One sign-in of one browser, which holds `secret` in a cookie until the end."""

    client: ProviderClient
    public_url: str
    secret: str

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends the browser back to; registered there."""
        return self.public_url + CALLBACK

    def begin(self) -> str:
        """Return the provider's address that the browser goes to.

        Raises as `ProviderClient.addresses`.
        """
        provider = self.client.provider
        digest = hashlib.sha256(derived(self.secret, "verifier").encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(provider.scopes),
            "state": derived(self.secret, "state"),
            "nonce": derived(self.secret, "nonce"),
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
            "code_challenge_method": "S256",
        }
        address = str(self.client.addresses()["authorization_endpoint"])
        return address + ("&" if "?" in address else "?") + urlencode(asked)

    def end(self, answer: Mapping[str, str]) -> Person:
        """Return who signed in, from the query of the address that the browser came back to.

        Raises:
            SignInFailed: the message says why.

        """
        self._check_answer(answer)
        verifier = derived(self.secret, "verifier")
        tokens = self.client.tokens(answer.get("code", ""), verifier, self.redirect_uri)
        claims = self._proven(str(tokens.get("id_token", "")))
        access_token = tokens.get("access_token")
        if isinstance(access_token, str) and not _has_all(claims, self.client.provider):
            claims = _joined(claims, self.client.userinfo(access_token))
        return person_of(claims, self.client.provider)

    def _check_answer(self, answer: Mapping[str, str]) -> None:
        """Hold the answer to the question: state (RFC 6749 section 10.12), issuer (RFC 9207)."""
        if not self.secret or not is_same(answer.get("state", ""), derived(self.secret, "state")):
            raise NotThisBrowser("this sign-in did not begin in this browser, or took too long")
        promised = self.client.addresses().get("authorization_response_iss_parameter_supported")
        if (promised or "iss" in answer) and answer.get("iss") != self.client.provider.issuer:
            raise ProviderWrong("another provider sent this answer")
        if "code" not in answer:
            raise ProviderWrong("the provider signed nobody in")

    def _proven(self, id_token: str) -> dict[str, Any]:
        """Return the claims of an ID token (OpenID Connect Core 1.0, section 3.1.3.7)."""
        try:
            claims = self._decoded(id_token, self.client.keys())
        except (JoseError, ValueError):  # keys may have been changed since they were read
            try:
                claims = self._decoded(id_token, self.client.keys(again=True))
            except (JoseError, ValueError) as error:
                raise ProviderWrong("the provider's ID token is not signed as agreed") from error
        try:
            self._expected().validate(claims)
        except JoseError as error:
            raise ProviderWrong("the provider's ID token is not for this sign-in") from error
        if claims.get("azp", self.client.provider.client_id) != self.client.provider.client_id:
            raise ProviderWrong("the provider's ID token was given to another")
        return claims

    def _decoded(self, id_token: str, keys: KeySet) -> dict[str, Any]:
        allowed = list(self.client.provider.algorithms)
        return jwt.decode(id_token, keys, algorithms=allowed).claims

    def _expected(self) -> jwt.JWTClaimsRegistry:
        provider = self.client.provider
        return jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": provider.issuer},
            aud={"essential": True, "value": provider.client_id},
            nonce={"essential": True, "value": derived(self.secret, "nonce")},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )


def end_session_address(client: ProviderClient, public_url: str) -> str:
    """Return where one signs out at the provider too (RP-Initiated Logout 1.0); "" if nowhere.

    Raises as `ProviderClient.addresses`.
    """
    address = client.addresses().get("end_session_endpoint")
    if not isinstance(address, str) or not is_secure(address):
        return ""
    back = {"client_id": client.provider.client_id, "post_logout_redirect_uri": public_url + "/"}
    return address + ("&" if "?" in address else "?") + urlencode(back)


def person_of(claims: Mapping[str, Any], provider: Provider) -> Person:
    """Return name and role: the highest of the roles that any value of the role claim has.

    Raises:
        NoRole: none of the values has a role.

    """
    held = _texts(_nested(claims, provider.role_claim))
    roles = [role for value, role in provider.roles if value in held]
    if not roles:
        raise NoRole("you have no role in Osteon: ask its administrator for one")
    name = _nested(claims, provider.name_claim)
    return Person(str(name if isinstance(name, str) and name else claims["sub"]), max(roles))


def _has_all(claims: Mapping[str, Any], provider: Provider) -> bool:
    return all(_nested(claims, name) for name in (provider.role_claim, provider.name_claim))


def _joined(claims: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Add claims of the userinfo page if it is about the same person; what was signed wins."""
    if more.get("sub") != claims["sub"]:
        return claims
    return {**more, **claims}


def _nested(claims: Mapping[str, Any], path: str) -> object:
    if path in claims:  # a name may hold dots itself, as URLs do
        return claims[path]
    found: object = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _texts(value: object) -> set[str]:
    values = value if isinstance(value, list) else [value]
    return {text for text in values if isinstance(text, str)}
