"""Secrets of 256 random bits, and what is kept of them: a digest that gives nothing away."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

PREFIX = "osteon_"
"""By it a token that leaked into a file or a chat is found by scanners."""
_BYTES = 32


def make_token() -> str:
    """Return a new token; whoever holds it may come in, and it is nowhere else."""
    return PREFIX + secrets.token_urlsafe(_BYTES)


def make_secret() -> str:
    """Return what a cookie holds."""
    return secrets.token_urlsafe(_BYTES)


def digest_of(secret: str) -> str:
    """Return SHA-256, hexadecimal.

    Plain SHA-256 is enough for 256 random bits: there is nothing to guess, so nothing to slow down.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def derived(secret: str, purpose: str) -> str:
    """Return another secret of the same strength, from which the first cannot be found.

    43 characters of base64url, as RFC 7636 asks of a code verifier.
    """
    made = hmac.digest(secret.encode("utf-8", "surrogatepass"), purpose.encode(), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode("ascii")


def is_same(one: str, other: str) -> bool:
    """Compare secrets in a time that says nothing of where they differ."""
    return hmac.compare_digest(
        one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
    )
