"""Part of the store: what readers write beside a run; it is shown again and used for nothing else.

No measurement, list, log, metric or object for the PACS reads this. A comment is never changed or
removed: the database itself refuses it. Who was wrong writes another one.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from jobs.engine import Records, reads, writes
from jobs.errors import EmptyComment, UnknownJob
from jobs.schema import comments, jobs

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import RowMapping

    from jobs.engine import Transaction

LONGEST = 4000
LONGEST_ASSESSMENT = 100


@dataclass(frozen=True)
class Comment:
    """What a reader wrote beside one run."""

    id: int
    job_id: str
    """The run that was read; a study's later runs show it too."""
    at: datetime
    author: str
    assessment: str = field(repr=False)
    """The reader's category in the reader's words, such as a RAC; may be empty."""
    text: str = field(repr=False)


class ReaderComments(Records):
    """Comments."""

    @writes
    def add_comment(
        self, tx: Transaction, job_id: str, author: str, text: str, assessment: str = ""
    ) -> Comment:
        """Keep what a reader wrote beside a run.

        Raises:
            EmptyComment: neither text nor assessment says anything.
            UnknownJob: there is no such run.

        """
        said = {
            "assessment": _clean(assessment)[:LONGEST_ASSESSMENT],
            "text": _clean(text)[:LONGEST],
        }
        if not any(said.values()):
            raise EmptyComment("there is nothing in the comment; write something, then send it")
        study_uid = tx.connection.execute(
            select(jobs.c.study_uid).where(jobs.c.id == job_id)
        ).scalar_one_or_none()
        if study_uid is None:
            raise UnknownJob(f"there is no job {job_id}")
        row = said | {"study_uid": study_uid, "job_id": job_id, "at": tx.now, "author": author}
        statement = insert(comments).values(row).returning(comments)
        return _comment(tx.connection.execute(statement).mappings().one())

    @reads
    def comments(self, tx: Transaction, study_uid: str) -> tuple[Comment, ...]:
        """Return what was written beside all runs of a study, oldest first."""
        query = select(comments).where(comments.c.study_uid == study_uid).order_by(comments.c.id)
        return tuple(_comment(row) for row in tx.connection.execute(query).mappings())


def _comment(row: RowMapping) -> Comment:
    return Comment(
        row["id"], row["job_id"], row["at"], row["author"], row["assessment"], row["text"]
    )


def _clean(text: str) -> str:
    """Leave out control signs other than line ends: PostgreSQL has no NUL in text."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(s for s in plain if s == "\n" or unicodedata.category(s) != "Cc").strip()
