"""The process of one job without a pipeline: the study's UID says what it does."""

import sys
import time

from jobs.job import Failure, Stage
from jobs.store import JobStore
from workers.configuration import Assignment
from workers.confinement import confine

confine(None)
assignment = Assignment.from_json(sys.stdin.readline())
with JobStore(assignment.configuration.store_url) as store:
    job = store.job(assignment.job_id)
    if job.study_uid.startswith("1.9."):  # takes its time
        store.enter_stage(job, Stage.READ)
        time.sleep(2.0)
    if job.study_uid.startswith("1.8.") and job.attempt == 1:  # waits for somebody
        store.retry(job, Failure("AWAY", "somebody is away"), 1.0)
    else:
        store.deliver(job)
