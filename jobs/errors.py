"""What can go wrong with the record of work.

JobsError
├── UnknownStudy       no such study
├── UnknownJob         no such job
├── UnknownWebhook     no such webhook
├── UnknownMessage     the webhook has no such message
├── IllegalMove        the table NEXT does not allow this change of state
├── LeaseLost          the job is no longer ours: write nothing, stop
├── CursorInvalid      a page of a list cannot go on from there
├── ResultConflict     other bytes under a UID or a name that is taken
├── EmptyComment       a reader's comment says nothing
├── StoreUnavailable   the database does not answer (try again)
├── StoreNotEmpty      a backup goes into an empty database only
├── DumpDamaged        a file of a backup is not what was written
├── UnknownToken       no token with this id
├── AuditBroken        the audit is not the one that was written
├── SchemaTooNew       the database was made by newer software
└── SchemaTooOld       the database has to be upgraded first
"""

from __future__ import annotations


class JobsError(Exception):
    """The record of work refused something; `code` is stable and shown to people."""

    code = "JOBS_ERROR"


class UnknownStudy(JobsError):  # noqa: N818 - these name the condition
    """There is no study with this Study Instance UID."""

    code = "UNKNOWN_STUDY"


class UnknownJob(JobsError):  # noqa: N818
    """There is no job with this id."""

    code = "UNKNOWN_JOB"


class UnknownWebhook(JobsError):  # noqa: N818
    """There is no webhook with this id."""

    code = "UNKNOWN_WEBHOOK"


class UnknownMessage(JobsError):  # noqa: N818
    """The webhook has no message with this id."""

    code = "UNKNOWN_MESSAGE"


class IllegalMove(JobsError):  # noqa: N818
    """The job's state does not allow this change (see `jobs.job.NEXT`)."""

    code = "ILLEGAL_MOVE"


class LeaseLost(JobsError):  # noqa: N818
    """The job was taken away (lease ran out, newer revision): write nothing, stop the work."""

    code = "LEASE_LOST"


class CursorInvalid(JobsError):  # noqa: N818
    """The cursor is not one that a page of this list gave."""

    code = "CURSOR_INVALID"


class ResultConflict(JobsError):  # noqa: N818
    """Other bytes stand under this SOP Instance UID or name; new bytes need a new UID."""

    code = "RESULT_CONFLICT"


class EmptyComment(JobsError):  # noqa: N818
    """A reader's comment has neither text nor assessment."""

    code = "EMPTY_COMMENT"


class StoreUnavailable(JobsError):  # noqa: N818
    """The database does not answer or cannot write now; trying again later may work."""

    code = "STORE_UNAVAILABLE"


class StoreNotEmpty(JobsError):  # noqa: N818
    """The database that a backup is to be restored into has rows."""

    code = "STORE_NOT_EMPTY"


class DumpDamaged(JobsError):  # noqa: N818
    """A file of a backup cannot be read, or is not what `jobs.dump` writes."""

    code = "BACKUP_DAMAGED"


class UnknownToken(JobsError):  # noqa: N818
    """There is no token with this id."""

    code = "UNKNOWN_TOKEN"


class AuditBroken(JobsError):  # noqa: N818
    """Rows of the audit were changed, are missing, or were put in between."""

    code = "AUDIT_BROKEN"


class SchemaTooNew(JobsError):  # noqa: N818
    """The database was made by newer software than this."""

    code = "SCHEMA_TOO_NEW"


class SchemaTooOld(JobsError):  # noqa: N818
    """The database was never set up, or by older software: run `osteon db upgrade`."""

    code = "SCHEMA_TOO_OLD"
