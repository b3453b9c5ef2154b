"""Tables of earlier studies that are fetched from an archive: UIDs and dates, nobody's name."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from jobs.columns import UID, UtcTime, metadata
from jobs.schema import jobs, studies

# What the archive was asked for a study that is due.
prior_searches = Table(
    "prior_searches",
    metadata,
    Column("study_uid", UID, ForeignKey(studies.c.uid), primary_key=True),
    Column("job_id", String(32), ForeignKey(jobs.c.id), nullable=False),
    Column("wait_until", UtcTime, nullable=False),
    Column("code", String(64)),
    Column("left_out", Integer, nullable=False),
)

# Earlier studies, wanted or here; nothing of one may have arrived yet.
priors = Table(
    "priors",
    metadata,
    Column("study_uid", UID, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("taken_on", String(8), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("owner", String(200)),
    Column("lease_until", UtcTime),
    Column("not_before", UtcTime),
    Column("code", String(64)),
    Column("n_held", Integer, nullable=False),  # instances here when fetching ended
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Index(None, "state", "priority"),
)

# Which study wants which earlier one.
prior_wishes = Table(
    "prior_wishes",
    metadata,
    Column("study_uid", UID, ForeignKey(studies.c.uid), primary_key=True),
    Column("prior_uid", UID, ForeignKey(priors.c.study_uid), primary_key=True),
    Index(None, "prior_uid"),
)
