"""Who makes a request, and what their role lets them do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection


class Role(IntEnum):
    """What a caller may do; each may do all that the ones before it may."""

    VIEWER = 1
    """Look."""
    OPERATOR = 2
    """Retry, measure again, send again."""
    ADMIN = 3
    """Settings, tokens, webhooks, audit."""

    def __str__(self) -> str:
        """Return the word that settings, tokens and pages use."""
        return self.name.lower()

    @classmethod
    def named(cls, word: str) -> Role:
        """Return the role of a word; raises ValueError for another."""
        try:
            return cls[word.upper()]
        except KeyError:
            raise ValueError(f"{word!r} is no role: viewer, operator or admin") from None


@dataclass(frozen=True)
class Caller:
    """Somebody whom the gate let in (`request.state.caller`)."""

    name: str
    role: Role
    via: str = "local"
    """local, token or session."""
    key: str = ""
    """Tells callers of one name apart: a token's id, the begin of a session's digest."""

    def may(self, role: Role | str) -> bool:
        """Tell whether this caller may do what `role` may."""
        return self.role >= (Role.named(role) if isinstance(role, str) else role)


LOCAL = Caller("local", Role.ADMIN)
"""Whoever sits at this host, while there is neither a token nor OIDC."""


def caller_of(request: HTTPConnection) -> Caller | None:
    """Return who makes a request; None where nobody had to say (open routes)."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return caller
