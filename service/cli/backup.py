"""`osteon backup` and `osteon restore`."""

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.invocation import Exit, explained, invocation, print_json
from service.cli.operator import record_command

if TYPE_CHECKING:
    from service.backup.manifest import Manifest
    from service.settings import Settings

_AsJson = Annotated[bool, typer.Option("--json", help="Write the manifest as JSON to stdout.")]


def backup(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A new name, as /backup/2026-11-21.")],
    all_images: Annotated[
        bool,
        typer.Option("--all-images", help="Also images of finished studies, which the PACS has."),
    ] = False,
    as_json: _AsJson = False,
) -> None:
    """Write a backup of the running system: database, results, images of unfinished studies.

    The folder has its name once it is whole; it holds patient data. Exit status 4: the backup is
    there, but files were missing from the data folder before it.
    """
    from jobs.errors import JobsError  # noqa: PLC0415
    from service.backup.errors import BackupError  # noqa: PLC0415
    from service.backup.write import Images, make_backup  # noqa: PLC0415

    settings = invocation(context).settings()
    images = Images.ALL if all_images else Images.UNFINISHED
    with explained(BackupError, JobsError):
        manifest = make_backup(settings, folder, images)
        _record(settings, "backup", f"{images} images")
    if as_json:
        print_json(asdict(manifest))
    else:
        typer.echo(f"{_counted(manifest)} are in {folder}")
    if manifest.missing:
        typer.echo(
            f"osteon: {manifest.missing} files that the record names were missing or damaged "
            "before the backup [BACKUP_INCOMPLETE]",
            err=True,
        )
        raise typer.Exit(int(Exit.PARTIAL))


def restore(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A folder that osteon backup wrote.")],
    records_only: Annotated[
        bool,
        typer.Option("--records-only", help="The database only; spool and results stay as is."),
    ] = False,
    as_json: _AsJson = False,
) -> None:
    """Bring a backup back into an empty database and an empty data folder: all or nothing.

    Stop node, worker and api first. The database may be of another kind than the backup's was.
    """
    from dicom_node.errors import DicomNodeError  # noqa: PLC0415
    from jobs.errors import JobsError  # noqa: PLC0415
    from service.backup.errors import BackupError  # noqa: PLC0415
    from service.backup.read import restore_backup  # noqa: PLC0415
    from service.backup.write import serving_models  # noqa: PLC0415

    settings = invocation(context).settings()
    with explained(BackupError, JobsError, DicomNodeError):
        manifest = restore_backup(settings, folder, records_only=records_only)
        _record(settings, "restore", f"of {manifest.created_at}")
    if as_json:
        print_json(asdict(manifest))
    else:
        part = ", the database only" if records_only else ""
        typer.echo(f"{_counted(manifest)} of {manifest.created_at} are restored{part}")
    now = serving_models(settings)
    for name in sorted(name for name in manifest.models if manifest.models[name] != now.get(name)):
        typer.echo(
            f"note: another {name} model serves here than when the backup was made; see "
            "`osteon models list`",
            err=True,
        )


def _record(settings: "Settings", event: str, detail: str) -> None:
    """Write into the audit who took everything out, or brought it in.

    A backup before an upgrade is of a schema that this software does not write to.
    """
    from jobs.errors import SchemaTooOld  # noqa: PLC0415
    from jobs.store import JobStore  # noqa: PLC0415

    with suppress(SchemaTooOld), JobStore(settings.store_url) as store:
        record_command(store, event, detail)


def _counted(manifest: "Manifest") -> str:
    files = manifest.files
    return (
        f"{manifest.rows.get('jobs', 0)} jobs, {files['spool']} images and "
        f"{files['results']} result files (schema {manifest.schema})"
    )
