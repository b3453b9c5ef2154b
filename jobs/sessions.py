"""Part of the store: who is signed in at a browser; of what the cookie holds a digest only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, or_, select, update

from jobs.access_tables import api_tokens, sessions
from jobs.engine import Records, reads, writes
from jobs.rows import to_value
from jobs.tokens import may_be_used

if TYPE_CHECKING:
    from datetime import datetime

    from jobs.engine import Transaction

SEEN_EVERY_S = 60
"""The time at which somebody was seen last is this coarse: most requests write nothing."""


@dataclass(frozen=True)
class Session:
    """Somebody who signed in. Times are UTC."""

    name: str
    role: str
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    token_id: str | None = None
    """The token that was pasted to sign in; the session ends with it."""


class SignedIn(Records):
    """Sessions."""

    @writes
    def open_session(self, tx: Transaction, digest: str, who: NewSession) -> None:
        """Keep a new session; those that ended are removed on the way."""
        tx.connection.execute(delete(sessions).where(sessions.c.ends_at <= tx.now))
        row = {
            "digest": digest,
            "name": who.name,
            "role": who.role,
            "token_id": who.token_id,
            "created_at": tx.now,
            "seen_at": tx.now,
            "ends_at": tx.now + timedelta(seconds=who.lasts_s),
        }
        tx.connection.execute(insert(sessions).values(row))

    @reads
    def session_of(self, tx: Transaction, digest: str, idle_s: float) -> Session | None:
        """Return the session of a digest unless it ended or nobody was seen for `idle_s`."""
        live = select(api_tokens.c.id).where(*may_be_used(tx))
        query = select(sessions).where(
            sessions.c.digest == digest,
            sessions.c.ends_at > tx.now,
            sessions.c.seen_at > tx.now - timedelta(seconds=idle_s),
            or_(sessions.c.token_id.is_(None), sessions.c.token_id.in_(live)),
        )
        row = tx.connection.execute(query).mappings().first()
        return None if row is None else to_value(Session, row)

    @writes
    def session_seen(self, tx: Transaction, digest: str) -> None:
        """Write down that somebody was seen now; call where `is_due` says so."""
        key = sessions.c.digest == digest
        tx.connection.execute(update(sessions).where(key).values(seen_at=tx.now))

    @writes
    def close_session(self, tx: Transaction, digest: str) -> None:
        """Sign somebody out; does nothing where there is no such session."""
        tx.connection.execute(delete(sessions).where(sessions.c.digest == digest))


@dataclass(frozen=True)
class NewSession:
    """Who signs in, and for how long at most."""

    name: str
    role: str
    lasts_s: float
    token_id: str | None = None


def is_due(session: Session, now: datetime) -> bool:
    """Tell whether the time of last sight is so old that it should be written again."""
    return (now - session.seen_at).total_seconds() >= SEEN_EVERY_S
