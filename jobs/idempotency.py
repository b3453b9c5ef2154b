"""Part of the store: what was answered to a request, so that the same one again changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from jobs.engine import Records, writes
from jobs.request_tables import kept_answers

if TYPE_CHECKING:
    from jobs.engine import Transaction


@dataclass(frozen=True)
class KeptAnswer:
    """What stands under a key."""

    request: str
    """SHA-256 of the request that came first, hexadecimal."""
    status: int | None
    """None: somebody answers it at this moment."""
    location: str = ""
    body: str = ""


class KeptAnswers(Records):
    """Answers by key; a key is a SHA-256 of who asked and what they called the request."""

    @writes
    def begin_answer(
        self, tx: Transaction, key: str, request: str, hold_s: float
    ) -> KeptAnswer | None:
        """Return what stands under the key; None: nothing, and for `hold_s` it is the caller's.

        Of two that ask at once one gets None. Rows whose time is over are removed on the way.
        """
        tx.connection.execute(delete(kept_answers).where(kept_answers.c.until < tx.now))
        row = {"key": key, "request": request, "location": "", "body": ""}
        held = row | {"until": tx.now + timedelta(seconds=hold_s)}
        statement = tx.insert(kept_answers).values(held)
        taken = statement.on_conflict_do_nothing().returning(kept_answers.c.key)
        if tx.connection.execute(taken).one_or_none() is not None:
            return None
        columns = (kept_answers.c.request, kept_answers.c.status)
        query = select(*columns, kept_answers.c.location, kept_answers.c.body)
        found = tx.connection.execute(query.where(kept_answers.c.key == key)).one_or_none()
        # Removed between the two statements: its request failed a moment ago.
        return KeptAnswer(request, None) if found is None else KeptAnswer(*found)

    @writes
    def keep_answer(self, tx: Transaction, key: str, answer: KeptAnswer, keep_s: float) -> None:
        """Keep the answer to the request that holds the key."""
        row = {"status": answer.status, "location": answer.location, "body": answer.body}
        kept = row | {"until": tx.now + timedelta(seconds=keep_s)}
        tx.connection.execute(update(kept_answers).where(kept_answers.c.key == key).values(kept))

    @writes
    def forget_answer(self, tx: Transaction, key: str) -> None:
        """Free a key whose request changed nothing."""
        tx.connection.execute(delete(kept_answers).where(kept_answers.c.key == key))
