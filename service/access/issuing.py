"""Makes tokens: what is handed over once, and what is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.audit import plain
from service.access.credentials import digest_of, make_token

if TYPE_CHECKING:
    from jobs.store import JobStore
    from jobs.tokens import ApiToken
    from service.access.caller import Role

DAY_S = 86_400.0
LONGEST_NAME = 100


def issue_token(
    store: JobStore, name: str, role: Role, by: str, days: float | None
) -> tuple[str, ApiToken]:
    """Return a new token, which is nowhere else from here on, and what the store knows of it.

    It ends after so many days; with None it never does.

    Raises:
        ValueError: the name is empty, or it would never be valid.

    """
    named = plain(name.strip(), LONGEST_NAME)
    if not named:
        raise ValueError("a token needs a name: of the program or the person that gets it")
    if days is not None and not 0 < days <= 36_500:
        raise ValueError("a token lasts for more than 0 and at most 36500 days, or without an end")
    secret = make_token()
    lasts_s = None if days is None else days * DAY_S
    kept = store.add_token(digest_of(secret), named, str(role), plain(by, 200), lasts_s)
    return secret, kept
