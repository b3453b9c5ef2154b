"""Part of the store: who saw, sent and changed what, as a chain of rows that only grows.

Triggers of the database refuse to change or remove a row (migration 0005). Each row's digest covers
the row and the digest before it, so `verify_audit` finds a row that was changed, left out or put in
by somebody who could switch the triggers off. Rows missing at the end are found only by somebody
who noted a later digest.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, text

from jobs.access_tables import audit
from jobs.engine import Records, reads, writes
from jobs.errors import AuditBroken
from jobs.rows import to_value
from jobs.schema import jobs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from jobs.engine import Transaction

_LOCK = 0x6F73746561756469  # "osteaudi": one row at a time in PostgreSQL, so that the chain is one
START = "0" * 64
"""What stands for the digest before the first row."""
ACTOR = DETAIL = 200
_LONGEST = {"actor": ACTOR, "address": 100, "detail": DETAIL}


@dataclass(frozen=True)
class AuditEntry:
    """What somebody did."""

    event: str
    outcome: str
    """success, refused (they may not) or failed."""
    actor: str
    role: str
    address: str
    study_uid: str | None = None
    job_id: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class AuditRow(AuditEntry):
    """An entry with its place in the chain."""

    id: int = 0
    at: datetime | None = None
    previous: str = START
    digest: str = ""

    def proven(self) -> str:
        """Return the digest that this row must have."""
        document = asdict(self)
        del document["digest"]
        document["at"] = self.at and self.at.astimezone(UTC).isoformat(timespec="microseconds")
        plain = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(plain.encode()).hexdigest()


@dataclass(frozen=True)
class AuditChain:
    """A chain that holds: how many rows, and the digest of the last."""

    rows: int
    digest: str


class AuditTrail(Records):
    """The audit."""

    @writes
    def record_audit(self, tx: Transaction, entry: AuditEntry) -> None:
        """Append an entry; where it names a job only, the job's study is put in."""
        if tx.connection.dialect.name == "postgresql":
            tx.connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        last = tx.connection.execute(
            select(audit.c.id, audit.c.digest).order_by(audit.c.id.desc()).limit(1)
        ).first()
        number, previous = (0, START) if last is None else (last.id, last.digest)
        values = asdict(entry) | {name: plain(vars(entry)[name], n) for name, n in _LONGEST.items()}
        values["study_uid"] = entry.study_uid or _study_of(tx, entry.job_id)
        row = AuditRow(**values, id=number + 1, at=tx.now, previous=previous)
        document = asdict(row) | {"digest": row.proven()}
        tx.connection.execute(insert(audit).values(document))

    @reads
    def audit(self, tx: Transaction, after: int = 0, limit: int = 500) -> tuple[AuditRow, ...]:
        """Return rows with ids above `after`, in order."""
        query = select(audit).where(audit.c.id > after).order_by(audit.c.id).limit(limit)
        return tuple(to_value(AuditRow, row) for row in tx.connection.execute(query).mappings())

    def audit_rows(self, after: int = 0) -> Iterator[AuditRow]:
        """Give every row with an id above `after`, in order, a part at a time."""
        while part := self.audit(after):
            yield from part
            after = part[-1].id

    def verify_audit(self, contains: str | None = None) -> AuditChain:
        """Hold every row against its digest and the one before.

        With `contains`, a digest that was noted earlier, it must still be one of the chain.

        Raises:
            AuditBroken: the message says at which row.

        """
        number, previous, found = 0, START, contains in (None, START)
        for row in self.audit_rows():
            if row.id != number + 1:
                raise AuditBroken(f"rows between {number} and {row.id} of the audit are missing")
            if row.previous != previous or row.digest != row.proven():
                raise AuditBroken(f"row {row.id} of the audit is not what was written")
            number, previous = row.id, row.digest
            found = found or row.digest == contains
        if not found:
            raise AuditBroken(f"the audit has no row {contains}: rows at its end are missing")
        return AuditChain(number, previous)


def plain(text: str, longest: int) -> str:
    """Return a text that every database, log and XML document can hold, in one line."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)[:longest]


def _study_of(tx: Transaction, job_id: str | None) -> str | None:
    if job_id is None:
        return None
    query = select(jobs.c.study_uid).where(jobs.c.id == job_id)
    return tx.connection.execute(query).scalar_one_or_none()
