"""Part of the store: tokens that let programs and people in; of the token itself a digest only."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert, or_, select, update

from jobs.access_tables import api_tokens
from jobs.engine import Records, reads, writes
from jobs.errors import UnknownToken
from jobs.rows import to_value

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from jobs.engine import Transaction

USED_EVERY_S = 600
"""The time of last use is this coarse: most requests write nothing."""


@dataclass(frozen=True)
class ApiToken:
    """What is known of a token. Times are UTC."""

    id: str
    """Sixteen hexadecimal digits by which it is listed and revoked; no secret."""
    name: str
    role: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None


class AccessTokens(Records):
    """Tokens."""

    @writes
    def add_token(
        self, tx: Transaction, digest: str, name: str, role: str, by: str, lasts_s: float | None
    ) -> ApiToken:
        """Keep a token's digest (SHA-256, hexadecimal); `lasts_s` is None where it never ends."""
        expires_at = None if lasts_s is None else tx.now + timedelta(seconds=lasts_s)
        token = ApiToken(secrets.token_hex(8), name, role, tx.now, by, expires_at)
        row = {**vars(token), "digest": digest}
        tx.connection.execute(insert(api_tokens).values(row))
        return token

    @reads
    def tokens(self, tx: Transaction) -> tuple[ApiToken, ...]:
        """Return all tokens that were ever made, the newest first."""
        query = select(api_tokens).order_by(api_tokens.c.created_at.desc(), api_tokens.c.id)
        return tuple(to_value(ApiToken, row) for row in tx.connection.execute(query).mappings())

    @reads
    def has_tokens(self, tx: Transaction) -> bool:
        """Tell whether a token was ever made, so that access was set up."""
        return tx.connection.execute(select(api_tokens.c.id).limit(1)).first() is not None

    @reads
    def token_of(self, tx: Transaction, digest: str) -> ApiToken | None:
        """Return the token of a digest if it may be used now."""
        query = select(api_tokens).where(api_tokens.c.digest == digest, *may_be_used(tx))
        row = tx.connection.execute(query).mappings().first()
        return None if row is None else to_value(ApiToken, row)

    @writes
    def token_used(self, tx: Transaction, token: ApiToken) -> None:
        """Write down that a token was used now; call where `is_due` says so."""
        key = api_tokens.c.id == token.id
        tx.connection.execute(update(api_tokens).where(key).values(used_at=tx.now))

    @writes
    def revoke_token(self, tx: Transaction, token_id: str) -> ApiToken:
        """End a token, and with it the sessions that it opened; one that ended already stays so.

        Raises:
            UnknownToken: there is none with this id.

        """
        row = tx.connection.execute(
            select(api_tokens).where(api_tokens.c.id == token_id).with_for_update()
        ).mappings()
        found = row.first()
        if found is None:
            raise UnknownToken(f"there is no token {token_id}: `osteon tokens list` shows them")
        revoked_at = found["revoked_at"] or tx.now
        values = {"revoked_at": revoked_at}
        tx.connection.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(values))
        return to_value(ApiToken, {**found, **values})


def is_due(token: ApiToken, now: datetime) -> bool:
    """Tell whether the time of last use is so old that it should be written again."""
    return token.used_at is None or (now - token.used_at).total_seconds() >= USED_EVERY_S


def may_be_used(tx: Transaction) -> tuple[ColumnElement[bool], ...]:
    """Return what has to hold for a row of `api_tokens`: neither revoked nor expired."""
    lasts = or_(api_tokens.c.expires_at.is_(None), api_tokens.c.expires_at > tx.now)
    return (api_tokens.c.revoked_at.is_(None), lasts)
