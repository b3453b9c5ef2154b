"""What an OpenID Connect provider says over HTTP: its addresses, its keys, its tokens.

Answers are small, in time, and not of another server: no redirects, https unless it is this host.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from service.access.oidc_errors import ProviderAway, ProviderWrong

if TYPE_CHECKING:
    from service.access.policy import Provider

_MOST_BYTES = 1_000_000
_KEEP_S = 3600.0
_ASK_AGAIN_S = 60.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_BASIC, _POST = "client_secret_basic", "client_secret_post"


@dataclass
class ProviderClient:
    """Asks one provider, and keeps its addresses and keys for an hour; threads may share it."""

    provider: Provider
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _addresses: dict[str, Any] = field(default_factory=dict)
    _addresses_at: float = 0.0
    _keys: KeySet | None = None
    _keys_at: float = 0.0

    def addresses(self) -> dict[str, Any]:
        """Return the discovery document (OpenID Connect Discovery 1.0, section 4).

        Raises:
            ProviderAway: it does not answer.
            ProviderWrong: it is not the issuer's, or names an address that is not secure.

        """
        with self._lock:
            if not self._addresses or time.monotonic() - self._addresses_at > _KEEP_S:
                url = self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
                found = self._get(url)
                _check_addresses(found, self.provider.issuer)
                self._addresses, self._addresses_at = found, time.monotonic()
            return self._addresses

    def keys(self, *, again: bool = False) -> KeySet:
        """Return the keys that ID tokens are signed with; asked `again` at most once a minute.

        Raises as `addresses`.
        """
        url = str(self.addresses()["jwks_uri"])
        with self._lock:
            age_s = time.monotonic() - self._keys_at
            if self._keys is None or age_s > (_ASK_AGAIN_S if again else _KEEP_S):
                try:
                    self._keys = KeySet.import_key_set(self._get(url))  # type: ignore[arg-type]
                except (JoseError, KeyError, TypeError, ValueError) as error:
                    raise ProviderWrong("the provider's keys cannot be read") from error
                self._keys_at = time.monotonic()
            return self._keys

    def tokens(self, code: str, verifier: str, redirect_uri: str) -> dict[str, Any]:
        """Return what the provider gives for a code (RFC 6749 section 4.1.3, RFC 7636).

        Raises:
            ProviderAway: it does not answer.
            ProviderWrong: it refuses the code, or its answer cannot be read.

        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        who = self._client_proof(form)
        return self._ask("POST", str(self.addresses()["token_endpoint"]), data=form, auth=who)

    def userinfo(self, access_token: str) -> dict[str, Any]:
        """Return the claims that stand in no ID token; nothing where the provider has no such page.

        Raises as `tokens`.
        """
        url = self.addresses().get("userinfo_endpoint")
        if not isinstance(url, str):
            return {}
        return self._ask("GET", url, headers={"Authorization": f"Bearer {access_token}"})

    def _client_proof(self, form: dict[str, str]) -> tuple[str, str] | None:
        """Say who the client is, in the form or as what is returned (RFC 6749 section 2.3.1)."""
        provider = self.provider
        ways = self.addresses().get("token_endpoint_auth_methods_supported", [_BASIC])
        if provider.client_secret and (_BASIC in ways or _POST not in ways):
            return quote(provider.client_id, safe=""), quote(provider.client_secret, safe="")
        form["client_id"] = provider.client_id
        if provider.client_secret:
            form["client_secret"] = provider.client_secret
        return None

    def _get(self, url: str) -> dict[str, Any]:
        return self._ask("GET", url)

    def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx's
        provider = self.provider
        trust = ssl.create_default_context(cafile=provider.ca_file)
        # trust_env: proxies of the environment are none of our settings.
        client = httpx.Client(verify=trust, timeout=provider.timeout_s, trust_env=False)
        more.setdefault("headers", {})["Accept"] = "application/json"
        try:
            with client, client.stream(method, url, **more) as answer:
                body = _read(answer)
        except httpx.HTTPError as error:
            raise ProviderAway("the provider of sign-in does not answer; try again") from error
        if answer.status_code != httpx.codes.OK:
            raise ProviderWrong(f"the provider of sign-in answers {answer.status_code}")
        return _document(body)


def is_secure(url: object) -> bool:
    """Tell whether an address is asked by https, or is this host's."""
    parts = urlsplit(url if isinstance(url, str) else "")
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _check_addresses(found: dict[str, Any], issuer: str) -> None:
    if found.get("issuer") != issuer:
        raise ProviderWrong("the provider names another issuer than access.oidc.issuer")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not is_secure(found.get(name)):
            raise ProviderWrong(f"the provider's {name} is missing or is not https")


def _read(answer: httpx.Response) -> bytes:
    body = b""
    for part in answer.iter_bytes():
        body += part
        if len(body) > _MOST_BYTES:
            raise ProviderWrong("the provider's answer is too long")
    return body


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ProviderWrong("the provider's answer is no JSON object")
    return document
