"""What has to be true of record, results folder and PACS once all studies are delivered."""

import hashlib
from collections import Counter
from pathlib import Path

from dicom_node.part10 import parse_meta
from jobs.job import EventKind, JobState
from jobs.store import JobStore
from service.demonstration.stand_in import COMPREHENSIVE_3D_SR, SEG
from tests.acceptance.peers import Orthanc


def delivered(store: JobStore, n: int) -> bool:
    jobs = store.jobs()
    ended = [job for job in jobs if job.state in (JobState.FAILED, JobState.REJECTED)]
    assert not ended, [job.failure for job in ended]
    return len(jobs) == n and all(job.state is JobState.DELIVERED for job in jobs)


def data_set(part10: bytes) -> bytes:
    """The bytes after the file meta information: what goes over the wire."""
    return part10[parse_meta(part10).offset :]


def assert_the_pacs_has_what_was_kept(
    store: JobStore, results: Path, pacs: Orthanc, job_id: str
) -> Counter[str]:
    """Every kept object is in the PACS once, with the same bytes; count its classes."""
    study_uid = store.job(job_id).study_uid
    there = pacs.instances(study_uid)
    kept = {r.sop_instance_uid: r for r in store.results(job_id) if r.sop_instance_uid}
    assert sorted(i["MainDicomTags"]["SOPInstanceUID"] for i in there) == sorted(kept)
    for instance in there:
        result = kept[instance["MainDicomTags"]["SOPInstanceUID"]]
        content = (results / result.path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == result.sha256
        assert data_set(pacs.file(instance["ID"])) == data_set(content)
    return Counter(str(result.sop_class_uid) for result in kept.values())


def assert_delivered_once(store: JobStore, results: Path, pacs: Orthanc) -> None:
    """Every job was delivered once, one SR and one set of SEGs each, and nothing else is there."""
    jobs = store.jobs()
    objects = 0
    for job in jobs:
        kinds = [event.kind for event in store.events(job.id)]
        assert kinds.count(EventKind.DELIVERED) == 1
        assert kinds[-1] is EventKind.DELIVERED
        assert kinds.count(EventKind.RESULTS_KEPT) == 1
        classes = assert_the_pacs_has_what_was_kept(store, results, pacs, job.id)
        assert classes[COMPREHENSIVE_3D_SR] == 1
        assert classes[SEG] >= 1
        objects += sum(classes.values())
    assert objects == len(pacs.instances())
    folders = {r.path.split("/")[0] for job in jobs for r in store.results(job.id)}
    assert {path.name for path in results.iterdir()} - {".identity.key"} == folders
