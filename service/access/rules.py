"""Which role a request needs: the first rule that fits, else by its method (closed by default)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.access.caller import Role

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Rule:
    """A path as a regular expression that fits all of it, and who may go there."""

    path: str
    role: Role | None
    """None: anybody."""
    methods: frozenset[str] | None = None
    """None: all."""

    def fits(self, method: str, path: str) -> bool:
        """Tell whether this rule is about a request."""
        right = self.methods is None or method in self.methods
        return right and re.fullmatch(self.path, path) is not None


_GET = frozenset({"GET", "HEAD"})
_CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

RULES: tuple[Rule, ...] = (
    Rule("/livez|/readyz", None, _GET),
    Rule("/static/.+", None, _GET),
    Rule("/sign-in", None),
    Rule("/sign-in/(oidc|callback)", None, _GET),
    Rule("/sign-out", Role.VIEWER),
    # Searches and tables whose words would stand in an address otherwise; they change nothing.
    Rule("/find|/chosen/csv|/api/v1/studies/search", Role.VIEWER, frozenset({"POST"})),
    Rule("/find|/chosen/csv", Role.VIEWER, frozenset({"POST"})),  # a search, a table: no change
    Rule("/settings(/.*)?", Role.ADMIN, _CHANGES),
    Rule("/api/v1/settings(/.*)?", Role.ADMIN, _CHANGES),
    Rule("/(api/v1/)?(tokens|webhooks|audit)(/.*)?", Role.ADMIN),
)
METRICS = Rule("/metrics", None, _GET)
"""Open where the setting api.open_metrics says so."""


_TRIES = (Rule("/sign-in", None, _CHANGES), Rule("/sign-in/callback", None, _GET))


def is_sign_in(method: str, path: str) -> bool:
    """Tell whether somebody tries to sign in by this request."""
    return any(rule.fits(method, path) for rule in _TRIES)


def role_for(method: str, path: str, *, open_metrics: bool = False) -> Role | None:
    """Return the role that a request needs; None where anybody may."""
    if open_metrics and METRICS.fits(method, path):
        return None
    for rule in RULES:
        if rule.fits(method, path):
            return rule.role
    return Role.VIEWER if method in SAFE_METHODS else Role.OPERATOR
