"""The record of work: one store, SQLite or PostgreSQL by its URL, safe for many processes.

Every method is one durable transaction. Times are UTC. Errors are those of `jobs.errors`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from jobs.audit import AuditTrail
from jobs.claims import JobClaims
from jobs.comments import ReaderComments
from jobs.commitments import Commitments
from jobs.decisions import JobDecisions
from jobs.deliveries import Deliveries
from jobs.destinations import DestinationRecords
from jobs.engine import make_engine
from jobs.errors import StoreUnavailable
from jobs.events import JobHistory
from jobs.examinations import ExaminationRecords
from jobs.forwarding import AuditForwarding
from jobs.holdings import Holdings
from jobs.idempotency import KeptAnswers
from jobs.identity import IdentityDecisions
from jobs.labels import StudyLabels
from jobs.lifecycle import JobLifecycle
from jobs.listing import StudyListing
from jobs.migrate import require_head
from jobs.outbox import WebhookOutbox
from jobs.overview import WorkOverview
from jobs.presence import WorkerPresence
from jobs.prior_fetches import PriorFetches
from jobs.priors import PriorRecords
from jobs.receptions import NodeReceptions
from jobs.results import JobResults
from jobs.revisions import StudyRevisions
from jobs.sessions import SignedIn
from jobs.studies import StudyRecords
from jobs.tokens import AccessTokens
from jobs.webhooks import WebhookRecords

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from jobs.engine import Clock

_LOOK_S = 0.5


class JobStore(
    StudyRecords,
    NodeReceptions,
    StudyRevisions,
    JobClaims,
    JobLifecycle,
    JobDecisions,
    JobHistory,
    JobResults,
    Deliveries,
    Commitments,
    DestinationRecords,
    ExaminationRecords,
    IdentityDecisions,
    PriorRecords,
    PriorFetches,
    StudyLabels,
    StudyListing,
    Holdings,
    WorkOverview,
    WorkerPresence,
    ReaderComments,
    AccessTokens,
    SignedIn,
    AuditTrail,
    AuditForwarding,
    WebhookRecords,
    WebhookOutbox,
    KeptAnswers,
):
    """Studies, jobs, events, results and deliveries. Threads may share one; processes may not."""

    def __init__(self, url: str, clock: Clock | None = None, patience_s: float = 0.0) -> None:
        """Open a database that `jobs.migrate.upgrade` has set up.

        `url` is `sqlite:////path/file.db` or `postgresql+pg8000://...`; `clock` is for tests and
        replaces the database server's (PostgreSQL) or this host's (SQLite). A store with
        `patience_s` waits so long where others raise StoreUnavailable (`jobs.engine.Records`).

        Raises:
            SchemaTooNew: newer software made the database.
            SchemaTooOld: it was not set up, or by older software.
            StoreUnavailable: it does not answer.

        """
        super().__init__(make_engine(url), clock, patience_s)
        try:
            self._require_head()
        except BaseException:
            self.close()
            raise

    def _require_head(self) -> None:
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                return self.require_schema()
            except StoreUnavailable:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_LOOK_S)

    def require_schema(self) -> None:
        """Refuse a schema that is not this software's, as `__init__` did: it may change under way.

        Raises:
            SchemaTooNew: newer software changed the database.
            SchemaTooOld: an older backup was put in its place.
            StoreUnavailable: it does not answer.

        """
        require_head(self._engine)

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
