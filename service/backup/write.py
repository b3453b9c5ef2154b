"""Make a backup of a running system.

The record of work comes first, as one moment sees it. Files come after: what the record names was
there before its row, and never changes, so the files are the record's or newer. A newer image has
no row; a node that starts on the restored spool indexes it, as after a crash.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from dicom_node.durable import sync_folder
from imaging.errors import ModelMismatch
from jobs.dump import dump, dumped_rows
from jobs.job import JobState
from service.backup.copying import (
    copy_file,
    digest_of,
    refusals_explained,
    unfinished_folder,
)
from service.backup.errors import BackupExists, BackupUnwritable
from service.backup.manifest import KEYS, MANIFEST, RECORDS, RESULTS, SPOOL, Manifest, write_sums
from service.build import git_commit, version
from service.chosen_models import model_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.settings import Settings

_MARK = "unfinished-backup"
_UNFINISHED = frozenset({JobState.QUEUED, JobState.RUNNING, JobState.HELD, JobState.FAILED})
"""Of a job: it works on its images again, by itself or when a person says so."""
_IMAGES = "studies/*/*"
_CONFLICTS = "conflicts"


class Images(StrEnum):
    """Whose images a backup has. The PACS has them all."""

    UNFINISHED = "unfinished"
    ALL = "all"


@dataclass
class _Copied:
    """What a backup has so far."""

    folder: Path
    digests: dict[str, str] = field(default_factory=dict)
    files: Counter[str] = field(default_factory=Counter)
    missing: int = 0

    def take(self, root: Path, part: str, path: str) -> str | None:
        """Copy `root`/`path` to `part`/`path`; None if it is not there."""
        name = f"{part}/{path}"
        try:
            digest = copy_file(root / path, self.folder / name)
        except FileNotFoundError:
            self.missing += 1
            return None
        self.digests[name] = digest
        self.files[part] += 1
        return digest


def make_backup(settings: Settings, target: Path, images: Images) -> Manifest:
    """Write a backup under the name `target`; it has this name once it is whole and durable.

    Raises:
        BackupExists: the name is taken.
        BackupUnwritable: the file system refused.
        SchemaTooNew: newer software made the database.
        SchemaTooOld: the database was never set up.
        StoreUnavailable: it does not answer.

    """
    target = target.absolute()
    if target.exists():
        message = f"{target} exists: a backup never replaces another; give a new name"
        raise BackupExists(message)
    if not target.parent.is_dir():
        message = f"there is no folder {target.parent}: is the disk for backups mounted?"
        raise BackupUnwritable(message)
    with (
        refusals_explained(f"the backup {target}"),
        unfinished_folder(target.parent, _MARK) as folder,
    ):
        manifest = _fill(folder, settings, images)
        os.sync()  # once for many thousand files
        folder.rename(target)
        sync_folder(target.parent)
    return manifest


def _fill(folder: Path, settings: Settings, images: Images) -> Manifest:
    records = folder / RECORDS
    records.mkdir(mode=0o700)
    dumped = dump(settings.store_url, records)
    copied = _Copied(folder)
    for path in sorted(records.iterdir()):
        copied.digests[f"{RECORDS}/{path.name}"] = digest_of(path)
    for kept, name in KEYS.items():
        if (settings.results_dir / name).exists():
            copied.digests[kept] = copy_file(settings.results_dir / name, folder / kept)
    _copy_results(copied, settings.results_dir)
    _copy_images(copied, settings.spool_dir, images)
    manifest = Manifest(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        software=version(),
        git_commit=git_commit(),
        schema=dumped.schema,
        rows=dumped.rows,
        images=images.value,
        files={part: copied.files[part] for part in (SPOOL, RESULTS)},
        missing=copied.missing,
        models=serving_models(settings),
        settings=settings.model_dump(mode="json"),
    )
    manifest.write(folder)
    copied.digests[MANIFEST] = digest_of(folder / MANIFEST)
    write_sums(folder, copied.digests)
    return manifest


def serving_models(settings: Settings) -> dict[str, str]:
    """Return the digest of the version that serves, of each model that is asked."""
    from workers.inference.repository import load_spec  # noqa: PLC0415

    digests = {}
    for folder in model_folders(settings):
        try:
            digests[folder.name] = load_spec(folder).sha256
        except ModelMismatch as error:
            digests[folder.name] = error.code
    return digests


def _copy_results(copied: _Copied, results_dir: Path) -> None:
    for row in dumped_rows(copied.folder / RECORDS, "results"):
        if copied.take(results_dir, RESULTS, row["path"]) not in (None, row["sha256"]):
            copied.missing += 1


def _copy_images(copied: _Copied, spool_dir: Path, images: Images) -> None:
    finished, expected = _expected(copied.folder / RECORDS)
    if images is Images.ALL:
        finished, expected = Counter(), expected + finished
    for path in _study_folders(spool_dir):
        names = sorted(file.name for file in (spool_dir / path).glob("*.dcm"))
        if finished[path] == len(names):  # else images came that have no row yet
            continue
        copied.missing += max(0, expected.pop(path, 0) - len(names))
        for name in names:
            copied.take(spool_dir, SPOOL, f"{path}/{name}")
    copied.missing += expected.total()
    if images is Images.ALL:
        for file in sorted((spool_dir / _CONFLICTS).glob("*.dcm")):
            copied.take(spool_dir, SPOOL, f"{_CONFLICTS}/{file.name}")


def _expected(records: Path) -> tuple[Counter[str], Counter[str]]:
    """Return how many images folders of finished and of unfinished studies have by the record."""
    busy = {row["study_uid"] for row in dumped_rows(records, "jobs") if row["state"] in _UNFINISHED}
    counts: Counter[str] = Counter()
    unfinished = set()
    for row in dumped_rows(records, "instances"):
        folder = str(PurePosixPath(row["path"]).parent)
        counts[folder] += 1
        if row["revision"] is None or row["study_uid"] in busy:
            unfinished.add(folder)
    open_ = Counter({folder: counts.pop(folder) for folder in unfinished})
    return counts, open_


def _study_folders(spool_dir: Path) -> Iterator[str]:
    for folder in sorted(spool_dir.glob(_IMAGES)):
        yield str(folder.relative_to(spool_dir))
