"""Where results lie: one folder a run, complete and durable before anything refers to it."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import shutil
import uuid
from typing import TYPE_CHECKING

from dicom_node.durable import sync_folder
from jobs.fault_points import fault
from jobs.result import ResultFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dicom_objects.writing.results import EncodedObject
    from jobs.job import Job

_UNFINISHED = ".unfinished-"
_MEDIA_TYPES = {
    ".dcm": "application/dicom",
    ".gz": "application/gzip",
    ".json": "application/json",
    ".npz": "application/zip",
    ".csv": "text/csv",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".webp": "image/webp",
}


def result_file(kind: str, name: str, folder: Path) -> ResultFile:
    """Describe a file that was written into `folder`, with the digest of its bytes."""
    path = folder / name
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return ResultFile(kind, name, _MEDIA_TYPES[path.suffix], name, digest)


def object_file(made: EncodedObject, folder: Path) -> ResultFile:
    """Describe a DICOM object that was written into `folder`."""
    return dataclasses.replace(
        result_file(made.kind, made.path.relative_to(folder).as_posix(), folder),
        sop_class_uid=str(made.sop_class_uid),
        sop_instance_uid=str(made.sop_instance_uid),
        series_uid=str(made.series_uid),
    )


@contextlib.contextmanager
def working_folder(results_dir: Path, job: Job) -> Iterator[Path]:
    """Yield an empty folder for one attempt; what is left in it at the end is removed.

    Folders of earlier attempts are removed first, whole ones too: the caller holds the job, which
    has no results yet, so whoever made them can no longer keep them.
    """
    results_dir.mkdir(parents=True, exist_ok=True)
    for pattern in (f"{_UNFINISHED}{job.id}-*", f"{job.id}-*"):
        for left_over in results_dir.glob(pattern):
            shutil.rmtree(left_over, ignore_errors=True)
            fault("results.swept")
    folder = results_dir / f"{_UNFINISHED}{job.id}-{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def settle(
    folder: Path, results_dir: Path, job: Job, files: Sequence[ResultFile]
) -> tuple[ResultFile, ...]:
    """Make the files durable under the job's final folder; return them with their final paths.

    The fence stands in the name, so two attempts never write to one folder.
    """
    for file in files:
        _sync_file(folder / file.path)
    sync_folder(folder)
    fault("results.synced")
    name = f"{job.id}-{job.fence}"
    folder.rename(results_dir / name)
    fault("results.named")
    sync_folder(results_dir)
    fault("results.durable")
    return tuple(dataclasses.replace(file, path=f"{name}/{file.path}") for file in files)


def discard(results_dir: Path, job: Job) -> None:
    """Remove what `settle` made of this attempt: nothing refers to it, and nothing ever will."""
    shutil.rmtree(results_dir / f"{job.id}-{job.fence}", ignore_errors=True)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
