"""A program that a test kills: studies through their whole life, each step said once it is done.

`python busy_writer.py URL NUMBER INSTANCES` prints one line for each committed step.
"""

import sys
from datetime import UTC, datetime

from jobs.job import Stage
from jobs.result import ResultFile
from jobs.store import JobStore
from jobs.study import Instance


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201 - the test reads it


def work(store: JobStore, uid: str, n_instances: int) -> None:
    now = datetime.now(UTC)
    ids = [f"{uid}.{n}" for n in range(n_instances)]
    instances = [Instance(i, uid, uid, "1.1", "1.2", "0" * 64, 1, i, now) for i in ids]
    store.record_instances(instances)
    say("arrived", uid)
    opened = store.open_revision(uid, "d" * 64)
    say("opened", uid)
    job = store.claim("busy", 3600)
    if job is None or opened is None:
        return
    for stage in Stage:
        store.enter_stage(job, stage)
        store.leave_stage(job, stage, 0.1)
    sop = f"2.25.{int(job.id, 16)}"
    store.keep_results(
        job, [ResultFile("seg", "seg.dcm", "application/dicom", "p", "0" * 64, "1.1", sop, "1.3")]
    )
    store.mark_sent(job, sop, "PACS", 0)
    store.deliver(job)
    say("delivered", job.study_uid)


def main() -> None:
    url, number, n_instances = sys.argv[1:]
    with JobStore(url) as store:
        for n in range(1_000_000):
            work(store, f"1.{number}.{n}", int(n_instances))


if __name__ == "__main__":
    main()
