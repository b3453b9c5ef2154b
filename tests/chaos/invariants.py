"""What has to hold after every destructive test, I1 to I8 (reference/reliability.md part D).

Each function looks at one invariant and yields a sentence for everything that breaks it.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from dicom_node.accepted import AcceptedFiles
from dicom_node.errors import DicomNodeError
from jobs.errors import AuditBroken
from jobs.job import Job, JobState
from jobs.result import ResultFile
from jobs.store import JobStore
from service.demonstration.stand_in import COMPREHENSIVE_3D_SR, SEG
from tests.acceptance.evidence import data_set
from tests.acceptance.peers import OrthancAt
from tests.chaos.acknowledged import Answer, digest_of

TERMINAL = {JobState.DELIVERED, JobState.REJECTED, JobState.FAILED, JobState.HELD}
_EVERY = 100_000


def lost(answers: Iterable[Answer], spool: Path) -> Iterator[str]:
    """I1: what the sender saw answered by 0x0000 is in the spool with the same bytes."""
    damaged: list[Path] = []
    found = AcceptedFiles(spool).rescan(on_unreadable=lambda path, _: damaged.append(path))
    kept = {(instance.sop_instance_uid, instance.sha256) for instance in found}
    kept |= {_conflict(path) for path in (spool / "conflicts").glob("*.dcm")}
    for path in damaged:
        yield f"{path.name} in the spool cannot be read"
    for answer in answers:
        if answer.promises and (answer.sop_instance_uid, answer.sha256) not in kept:
            yield f"{answer.sop_instance_uid} was acknowledged and is not there with these bytes"


def _conflict(path: Path) -> tuple[str, str]:
    content = path.read_bytes()
    try:
        [found] = AcceptedFiles(path.parent)._scan([path], (), None)
    except DicomNodeError:
        return "", path.name
    return found.sop_instance_uid, digest_of(content)


def unfinished(answers: Iterable[Answer], store: JobStore) -> Iterator[str]:
    """I2: every study that was promised has come to an end that people can see."""
    for study in store.open_studies():
        yield f"study {study.uid} has images that no revision took in"
    newest = {job.study_uid: job for job in sorted(jobs_of(store), key=lambda job: job.revision)}
    for study_uid in sorted({answer.study_uid for answer in answers if answer.promises}):
        job = newest.get(study_uid)
        if job is None:
            yield f"study {study_uid} was received and has no job"
        elif job.state not in TERMINAL:
            yield f"study {study_uid}: job {job.id} is {job.state}"


def jobs_of(store: JobStore) -> tuple[Job, ...]:
    return store.jobs(limit=_EVERY)


def not_delivered(store: JobStore) -> Iterator[str]:
    """I2 where nothing but delivery is right: a replaced revision is no failure."""
    for job in jobs_of(store):
        replaced = job.failure is not None and job.failure.code == "SUPERSEDED"
        if job.state is not JobState.DELIVERED and not replaced:
            why = "" if job.failure is None else f" ({job.failure.code})"
            yield f"job {job.id} is {job.state}{why}"


def differing(store: JobStore, results: Path, pacs: OrthancAt) -> Iterator[str]:
    """I3: the PACS has the objects of each delivered job once, byte for byte, and nothing else."""
    there = Counter[str]()
    files: dict[str, str] = {}
    for instance in pacs.instances():
        uid = instance["MainDicomTags"]["SOPInstanceUID"]
        there[uid] += 1
        files[uid] = instance["ID"]
    kept: dict[str, ResultFile] = {}
    for job in jobs_of(store):
        objects = [r for r in store.results(job.id) if r.sop_instance_uid is not None]
        kept |= {str(result.sop_instance_uid): result for result in objects}
        if job.state is JobState.DELIVERED:
            yield from _incomplete(job, objects, there)
    for uid, result in kept.items():
        if there[uid] and data_set(pacs.file(files[uid])) != data_set(_bytes(results, result)):
            yield f"{uid} ({result.name}) has other bytes in the PACS"
    yield from (f"{uid} is {n} times in the PACS" for uid, n in there.items() if n > 1)
    yield from (f"{uid} is in the PACS and no job made it" for uid in there if uid not in kept)


def _incomplete(job: Job, objects: Sequence[ResultFile], there: Counter[str]) -> Iterator[str]:
    classes = Counter(result.sop_class_uid for result in objects)
    if classes[COMPREHENSIVE_3D_SR] != 1 or not classes[SEG]:
        yield f"delivered job {job.id} has {classes[COMPREHENSIVE_3D_SR]} SR, {classes[SEG]} SEG"
    for result in objects:
        if not there[str(result.sop_instance_uid)]:
            yield f"{result.sop_instance_uid} ({result.name}) of a delivered job is not in the PACS"


def _bytes(results: Path, result: ResultFile) -> bytes:
    return (results / result.path).read_bytes()


def untidy(spool: Path, results: Path, store: JobStore) -> Iterator[str]:
    """I4: incoming/ is empty; files and rows are each other's; digests are right."""
    left = (path for path in (spool / "incoming").rglob("*") if path.is_file())
    yield from (f"{path.relative_to(spool)} was left over" for path in left)
    yield from _spool_and_rows(spool, store)
    referred = set()
    for job in jobs_of(store):
        for result in store.results(job.id):
            referred.add(result.path.split("/")[0])
            path = results / result.path
            if not path.is_file():
                yield f"result {result.path} of job {job.id} has no file"
            elif hashlib.sha256(path.read_bytes()).hexdigest() != result.sha256:
                yield f"result {result.path} of job {job.id} is not what was kept"
    for path in results.iterdir() if results.is_dir() else ():
        if path.is_dir() and path.name not in referred:
            yield f"nothing refers to {path.name} among the results"


def _spool_and_rows(spool: Path, store: JobStore) -> Iterator[str]:
    rows = {i.path: i.sha256 for uid in _studies(store) for i in store.instances(uid)}
    found = AcceptedFiles(spool).rescan(on_unreadable=lambda *_: None)
    files = {instance.path: instance.sha256 for instance in found}
    yield from (f"row without a file: {path}" for path in sorted(rows.keys() - files.keys()))
    yield from (f"file without a row: {path}" for path in sorted(files.keys() - rows.keys()))
    changed = (path for path in rows.keys() & files.keys() if rows[path] != files[path])
    yield from (f"{path} is not what its row says" for path in sorted(changed))


def _studies(store: JobStore) -> list[str]:
    return [study.uid for study in store.studies(limit=_EVERY)]


def disturbed(logs: Iterable[Path], allowed: Collection[str] = ()) -> Iterator[str]:
    """I5: no log has a traceback; `allowed` are parts of lines that may stand there."""
    for path in logs:
        for line in path.read_text(errors="replace").splitlines():
            if "Traceback (most recent call last)" in line and not any(a in line for a in allowed):
                yield f"{path.name} has a traceback"
            elif '"code": "INTERNAL"' in line and not any(part in line for part in allowed):
                yield f"{path.name} tells of a defect: {line[:200]}"


def leaked(places: Iterable[Path], canaries: Collection[bytes]) -> Iterator[str]:
    """I7: no name of a patient stands in a file, or in a file's name, of these places."""
    for path in places:
        said = str(path).encode() + b"\n" + (path.read_bytes() if path.is_file() else b"")
        for canary in canaries:
            if canary.upper() in said.upper():
                yield f"{canary.decode(errors='replace')} stands in {path.name}"


def broken_audit(store: JobStore) -> Iterator[str]:
    """I8: the chain of the audit is whole."""
    try:
        store.verify_audit()
    except AuditBroken as error:
        yield str(error)
