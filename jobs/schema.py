"""The tables. A change here needs a new revision in `jobs/migrations/versions`; a test compares."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from jobs.columns import DIGEST, ROW_ID, UID, UtcTime, metadata
from jobs.job import JobState

__all__ = [
    "DIGEST",
    "ROW_ID",
    "UID",
    "UtcTime",
    "examinations",
    "headlines",
    "instances",
    "job_events",
    "jobs",
    "metadata",
    "receptions",
    "results",
    "stage_times",
    "studies",
    "study_labels",
    "summaries",
]

studies = Table(
    "studies",
    metadata,
    Column("uid", UID, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("n_instances", Integer, nullable=False),
    Column("n_series", Integer, nullable=False),
    Column("first_received_at", UtcTime, nullable=False),
    Column("last_received_at", UtcTime, nullable=False),
    Column("closed_at", UtcTime),
    Index(None, "last_received_at", "uid"),
)

# An index of the spool: it can be thrown away and rebuilt from the files.
instances = Table(
    "instances",
    metadata,
    Column("sop_instance_uid", UID, primary_key=True),
    Column("study_uid", UID, ForeignKey(studies.c.uid), nullable=False),
    Column("series_uid", UID, nullable=False),
    Column("sop_class_uid", UID, nullable=False),
    Column("transfer_syntax_uid", UID, nullable=False),
    Column("sha256", DIGEST, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("path", Text, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("revision", Integer),  # the closing that took it in first; empty: none yet
    Index(None, "study_uid", "series_uid"),
    Index(None, "study_uid", "revision"),
)

# Whose a study is, as keyed digests: nobody's ID, name or date of birth.
examinations = Table(
    "examinations",
    metadata,
    Column("study_uid", UID, ForeignKey(studies.c.uid), primary_key=True),
    Column("patient_key", DIGEST, nullable=False),  # empty: the images do not say
    Column("birth_key", DIGEST, nullable=False),
    Column("sex_key", DIGEST, nullable=False),
    Column("taken_at", String(26), nullable=False),
    Index(None, "patient_key"),
)

# What names a study to people: the one table with patients' names in it (docs/decisions/0017).
study_labels = Table(
    "study_labels",
    metadata,
    Column("study_uid", UID, ForeignKey(studies.c.uid), primary_key=True),
    Column("patient_name", Text, nullable=False),
    Column("patient_id", Text, nullable=False),
    Column("accession_number", Text, nullable=False),
    Column("study_date", String(8), nullable=False),  # YYYYMMDD; empty: the images do not say
    Column("scanner", Text, nullable=False),
    Column("sought", Text, nullable=False),  # the words of all of it, as `jobs.labels.folded`
    Index(None, "study_date"),
)

# What nodes that share a spool are receiving; a row of a dead node grows old and is removed.
receptions = Table(
    "receptions",
    metadata,
    Column("study_uid", UID, primary_key=True),
    Column("node", String(32), primary_key=True),
    Column("busy", Boolean, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("first_at", UtcTime, nullable=False),
    Column("last_at", UtcTime, nullable=False),
    Column("until", UtcTime, nullable=False),
)

# Which workers are there; a row of a dead one grows old and is removed.
workers = Table(
    "workers",
    metadata,
    Column("owner", String(200), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("until", UtcTime, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("study_uid", UID, ForeignKey(studies.c.uid), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("input_digest", DIGEST, nullable=False),
    Column("state", String(16), nullable=False),
    Column("stage", String(16)),
    Column("progress", Float, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("lease_owner", String(200)),
    Column("lease_until", UtcTime),
    Column("not_before", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("failure_code", String(64)),
    Column("failure_message", Text),
    Column("failure_stage", String(16)),
    Column("failure_retryable", Boolean),
    Column("priority", Integer, nullable=False),
    CheckConstraint(f"state IN ({', '.join(repr(s.value) for s in JobState)})", name="state"),
    UniqueConstraint("study_uid", "revision"),
    UniqueConstraint("study_uid", "input_digest"),
    Index(None, "state", "created_at"),
    Index(None, "created_at"),
)

job_events = Table(
    "job_events",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("job_id", String(32), ForeignKey(jobs.c.id), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("stage", String(16)),
    Column("data", JSON, nullable=False),
    Index(None, "job_id", "id"),
    sqlite_autoincrement=True,  # an id is never given twice
)

stage_times = Table(
    "stage_times",
    metadata,
    Column("job_id", String(32), ForeignKey(jobs.c.id), primary_key=True),
    Column("stage", String(16), primary_key=True),
    Column("seconds", Float, nullable=False),  # of the last time it finished
    Column("at", UtcTime, nullable=False),
)

summaries = Table(
    "summaries",
    metadata,
    Column("job_id", String(32), ForeignKey(jobs.c.id), primary_key=True),
    Column("document", JSON, nullable=False),
)

# What a list of studies is sorted and filtered by, of each summary (`jobs.headline`).
headlines = Table(
    "headlines",
    metadata,
    Column("job_id", String(32), ForeignKey(jobs.c.id), primary_key=True),
    Column("tdv_ml", Float),
    Column("partial", Boolean, nullable=False),
    Column("warned", Boolean, nullable=False),
    Column("beyond_limit", Boolean, nullable=False),
)

results = Table(
    "results",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("job_id", String(32), ForeignKey(jobs.c.id), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("name", String(200), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("path", Text, nullable=False),
    Column("sha256", DIGEST, nullable=False),
    Column("sop_class_uid", UID),
    Column("sop_instance_uid", UID, unique=True),  # new bytes always get a new UID
    Column("series_uid", UID),
    Column("created_at", UtcTime, nullable=False),
    UniqueConstraint("job_id", "name"),
)

# What readers write beside a run. Append-only: triggers of the database refuse any other change.
comments = Table(
    "comments",
    metadata,
    Column("id", ROW_ID, primary_key=True),
    Column("study_uid", UID, ForeignKey(studies.c.uid), nullable=False),
    Column("job_id", String(32), ForeignKey(jobs.c.id), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("author", String(200), nullable=False),
    Column("assessment", String(100), nullable=False),
    Column("text", Text, nullable=False),
    Index(None, "study_uid"),
    sqlite_autoincrement=True,
)
