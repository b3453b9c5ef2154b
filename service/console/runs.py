"""The runs of a study: every version of its results, none of which is ever written over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.errors import UnknownJob

if TYPE_CHECKING:
    from jobs.job import Job
    from jobs.store import JobStore


def runs_of(store: JobStore, study_uid: str) -> tuple[Job, ...]:
    """Return the runs of a study, the newest revision first."""
    jobs = store.jobs(study_uid=study_uid)
    return tuple(sorted(jobs, key=lambda job: -job.revision))


def run_of(store: JobStore, study_uid: str, job_id: str) -> Job:
    """Return a run of this study.

    Raises:
        UnknownJob: there is none of this id, or it is of another study.

    """
    job = store.job(job_id)
    if job.study_uid != study_uid:
        raise UnknownJob(f"study {study_uid} has no run {job_id}")
    return job
