"""Bring a backup back into an empty system: all of it, or nothing.

Every file is proven by its digest on its way into a folder beside its place. Then the files get
their names and the database its rows, in one transaction; if that fails the files go again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from dicom_node.durable import sync_folder
from dicom_node.spool import Spool
from jobs.load import load, require_empty
from jobs.migrate import refuse_newer
from service.backup.copying import (
    copy_file,
    digest_of,
    refusals_explained,
    unfinished_folder,
)
from service.backup.errors import BackupDamaged, TargetNotEmpty
from service.backup.manifest import KEYS, RECORDS, RESULTS, SPOOL, Manifest, read_sums

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from service.settings import Settings

_MARK = "restoring"


def restore_backup(settings: Settings, source: Path, *, records_only: bool = False) -> Manifest:
    """Bring the backup in the folder `source` into the data folder and the database of `settings`.

    With `records_only` the data folder keeps its files as they are, and the backup's are left out:
    the way back to an older version, whose node then indexes what came after the backup.

    Raises:
        NotABackup: `source` is none that this software reads.
        BackupDamaged: a file of it is missing or is another.
        SchemaTooNew: newer software made it.
        TargetNotEmpty: there are images or results already.
        StoreNotEmpty: there are rows already.
        SpoolBusy: a node runs on the data folder.
        BackupUnwritable: the file system refused.
        StoreUnavailable: the database does not answer.

    """
    manifest, digests = Manifest.read(source), read_sums(source)
    refuse_newer(manifest.schema, "the backup")
    _require_whole(source, manifest, digests)
    with (
        refusals_explained(f"the restore into {settings.data_dir}"),
        Spool(settings.spool_dir).claim(),
    ):
        require_empty(settings.store_url)
        with _files(settings, source, {} if records_only else digests):
            for kept in KEYS.keys() & digests.keys():  # first: without rows they harm nobody
                _put_key(source / kept, settings.results_dir / KEYS[kept])
            load(settings.store_url, source / RECORDS, manifest.schema)
    return manifest


def _put_key(kept: Path, place: Path) -> None:
    """Put the backup's secret in place of one that was made for the empty database."""
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f"{place.name}-restored")
    draft.unlink(missing_ok=True)
    copy_file(kept, draft)
    draft.replace(place)
    sync_folder(place.parent)


@contextlib.contextmanager
def _files(settings: Settings, source: Path, digests: Mapping[str, str]) -> Iterator[None]:
    """Put the files of the backup in their places; take them away again if the block fails."""
    if not digests:
        yield
        return
    spool, results = settings.spool_dir, settings.results_dir
    results.mkdir(parents=True, exist_ok=True)
    _require_no_files(spool, results)
    with unfinished_folder(spool, _MARK) as images, unfinished_folder(results, _MARK) as files:
        _stage(source, digests, {SPOOL: images, RESULTS: files})
        os.sync()  # once for many thousand files
        with _in_place(images, spool), _in_place(files, results):
            yield


def _require_whole(source: Path, manifest: Manifest, digests: Mapping[str, str]) -> None:
    """Prove what is read straight from the backup, and that no file is missing."""
    counted = {part: _count(digests, part) for part in manifest.files}
    tables = _count(digests, RECORDS)
    if counted != manifest.files or tables != len(manifest.rows):
        message = f"the list of files of {source} is not the one that was written"
        raise BackupDamaged(message)
    for path, digest in digests.items():
        copied_later = path.startswith((f"{SPOOL}/", f"{RESULTS}/"))
        if not (source / path).is_file() or (
            not copied_later and digest_of(source / path) != digest
        ):
            raise _damaged(source, path)


def _count(digests: Mapping[str, str], part: str) -> int:
    return sum(path.startswith(f"{part}/") for path in digests)


def _stage(source: Path, digests: Mapping[str, str], places: Mapping[str, Path]) -> None:
    for path, digest in digests.items():
        part, _, rest = path.partition("/")
        if part in places and copy_file(source / path, places[part] / rest) != digest:
            raise _damaged(source, path)


def _damaged(source: Path, path: str) -> BackupDamaged:
    message = f"{path} of {source} is missing or not as it was written; take another backup"
    return BackupDamaged(message)


def _require_no_files(spool: Path, results: Path) -> None:
    images = any(path.is_file() for part in _PARTS for path in (spool / part).rglob("*"))
    if images or any(not path.name.startswith(".") for path in results.iterdir()):
        message = (
            f"{spool} or {results} has files already: restore into an empty data folder, or move "
            "these away if nothing in them is needed"
        )
        raise TargetNotEmpty(message)


_PARTS = ("studies", "conflicts")


@contextlib.contextmanager
def _in_place(staged: Path, final: Path) -> Iterator[None]:
    """Give what is staged its final names; take them away again if the block fails."""
    moved: list[Path] = []
    try:
        for path in sorted(staged.iterdir()):
            path.rename(final / path.name)
            moved.append(final / path.name)
        sync_folder(final)
        yield
    except BaseException:
        for path in moved:
            shutil.rmtree(path, ignore_errors=True)
        raise
