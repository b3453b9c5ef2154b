"""The record of work: one store, SQLite or PostgreSQL by its URL, safe for many processes.

Every method is one durable transaction. Times are UTC. Errors are those of `jobs.errors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.claims import JobClaims
from jobs.engine import make_engine
from jobs.events import JobHistory
from jobs.lifecycle import JobLifecycle
from jobs.migrate import require_head
from jobs.receptions import NodeReceptions
from jobs.results import JobResults
from jobs.revisions import StudyRevisions
from jobs.studies import StudyRecords

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from jobs.engine import Clock


class JobStore(
    StudyRecords,
    NodeReceptions,
    StudyRevisions,
    JobClaims,
    JobLifecycle,
    JobHistory,
    JobResults,
):
    """Studies, jobs, events, results and deliveries. Threads may share one; processes may not."""

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        """Open a database that `jobs.migrate.upgrade` has set up.

        `url` is `sqlite:////path/file.db` or `postgresql+pg8000://...`; `clock` is for tests and
        replaces the database server's (PostgreSQL) or this host's (SQLite).

        Raises:
            SchemaTooNew: newer software made the database.
            SchemaTooOld: it was not set up, or by older software.
            StoreUnavailable: it does not answer.

        """
        super().__init__(make_engine(url), clock)
        try:
            require_head(self._engine)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection."""
        self.close()
