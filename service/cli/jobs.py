"""`osteon jobs`: decisions of people about the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.invocation import Exit, explained, invocation, print_json, stop
from service.cli.operator import record_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.job import Job
    from jobs.store import JobStore

_PAGE = 500

jobs = typer.Typer(
    help="Measure studies again, let held ones go on, say how one stands.", no_args_is_help=True
)


@jobs.command()
def reprocess(
    context: typer.Context,
    studies: Annotated[
        list[str] | None, typer.Argument(help="Study Instance UIDs.", metavar="[STUDY]...")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every study whose last results were delivered.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Measure studies again, as with a new model: new results, when nothing else waits."""
    from jobs.errors import JobsError  # noqa: PLC0415
    from service import wiring  # noqa: PLC0415

    if bool(studies) == every:
        stop("name studies by their Study Instance UID, or give --all", Exit.USAGE)
    settings = invocation(context).settings()
    with explained(JobsError), wiring.open_store(settings) as store:
        queue = wiring.make_queue(settings, store)
        opened = []
        for study_uid in studies or _delivered(store):
            opened.append(store.measure_again(study_uid))
            record_command(store, "reprocess", job=opened[-1])
            queue.submit(opened[-1].id)
    _tell(opened, as_json)


@jobs.command()
def show(
    context: typer.Context,
    job_id: Annotated[str, typer.Argument(help="The job, as its page and the log name it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Say how a job stands, and how far each object is at each destination (docs/delivery.md)."""
    from jobs.errors import JobsError  # noqa: PLC0415
    from service import wiring  # noqa: PLC0415

    settings = invocation(context).settings()
    with explained(JobsError), wiring.open_store(settings) as store:
        job, ways = store.job(job_id), store.deliveries(job_id)
    told = [
        {
            "destination": way.destination,
            "object": way.name,
            "status": str(way.status).replace("_", " "),
            "tries": way.attempts,
            "code": way.code,
        }
        for way in ways
    ]
    code = job.failure.code if job.failure else None
    if as_json:
        print_json({"job_id": job.id, "state": job.state, "code": code, "deliveries": told})
        return
    typer.echo(f"{job.id}  {job.state}{f', {code}' if code else ''}")
    for row in told:
        told_code = f"  {row['code']}" if row["code"] else ""
        typer.echo(f"{row['destination']}  {row['object']}  {row['status']}{told_code}")


@jobs.command()
def release(
    context: typer.Context,
    job_id: Annotated[str, typer.Argument(help="The job, as its page and the log name it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Let a job go on that is held for its patient's identity: you know whose images these are."""
    from jobs.errors import JobsError  # noqa: PLC0415
    from service import wiring  # noqa: PLC0415

    settings = invocation(context).settings()
    with explained(JobsError), wiring.open_store(settings) as store:
        job = store.release(job_id)
        record_command(store, "release", job=job)
        wiring.make_queue(settings, store).submit(job.id)
    _tell([job], as_json)


def _delivered(store: JobStore) -> list[str]:
    """Return the studies whose newest job is delivered; those with one that waits do wait."""
    from jobs.job import JobState  # noqa: PLC0415

    return [
        study_uid
        for study_uid in _study_uids(store)
        if [job.state for job in store.jobs(limit=1, study_uid=study_uid)] == [JobState.DELIVERED]
    ]


def _study_uids(store: JobStore) -> Iterator[str]:
    after: str | None = None
    while page := store.studies(_PAGE, after):
        yield from (study.uid for study in page)
        after = page[-1].uid


def _tell(opened: list[Job], as_json: bool) -> None:
    if as_json:
        print_json(
            [{"job_id": j.id, "study_uid": j.study_uid, "revision": j.revision} for j in opened]
        )
        return
    for job in opened:
        typer.echo(f"{job.id}  revision {job.revision} of {job.study_uid}")
