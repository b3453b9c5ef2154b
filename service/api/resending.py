"""What was delivered is sent once more: to whom, and that the bytes are those that were kept."""

import hashlib
from pathlib import Path
from typing import Annotated

from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field

from jobs.job import Job
from jobs.result import ResultFile
from service.api.problems import NoSuchResult, Refused
from service.api.results import locate
from service.api.site import Site


class ResendIn(BaseModel):
    """Where to send."""

    model_config = ConfigDict(extra="forbid")

    destinations: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=64)]] | None,
        Field(max_length=50, description="names of the settings; all of them if not given"),
    ] = None


Resending = Annotated[ResendIn | None, Body()]


def send_again(site: Site, job_id: str, asked: ResendIn | None) -> Job:
    """Queue a delivered job for its destinations, and tell the workers.

    Raises:
        UnknownJob: there is no such job.
        IllegalMove: it is not delivered, or a newer revision replaced it.
        Refused: no destination is configured or one is not known, or a file is not the one that
            was kept.

    """
    job = site.store.job(job_id)
    names = _destinations(site, asked)
    for result in site.store.results(job.id):
        if result.sop_instance_uid is not None:
            _require_kept(site.results_dir, result)
    queued = site.store.send_again(job.id, names)
    site.submit(queued.id)
    return queued


def _destinations(site: Site, asked: ResendIn | None) -> tuple[str, ...]:
    if not site.destinations:
        raise Refused("NO_DESTINATION", "this installation has no destination in its settings")
    given = asked.destinations if asked is not None else None
    if given is None:
        return site.destinations
    if not given or not set(given) <= set(site.destinations):
        known = ", ".join(site.destinations)
        raise Refused("UNKNOWN_DESTINATION", f"destinations of this installation are: {known}")
    return tuple(dict.fromkeys(given))


def _require_kept(results_dir: Path, result: ResultFile) -> None:
    """Refuse to send other bytes under a UID that was sent before."""
    again = "measure the study again"
    try:
        with locate(results_dir, result).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (NoSuchResult, OSError):
        raise Refused("RESULT_CHANGED", f"{result.name} is gone: {again}") from None
    if digest != result.sha256:
        raise Refused("RESULT_CHANGED", f"{result.name} is not the file that was kept: {again}")
