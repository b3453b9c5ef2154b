"""What every route needs, and how it gets it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from fastapi import Path as PathParameter

from jobs.store import JobStore
from service.access.policy import LOCAL_POLICY, Policy
from service.configured import Configured
from service.naming import Naming
from service.webhooks.recipients import Recipients
from service.webhooks.signing import Signer

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def _nobody_waits(_job_id: str) -> None:
    """Workers find the job by themselves."""


@dataclass(frozen=True)
class Site:
    """The record of work, where results lie, and what is shown about this installation."""

    store: JobStore
    results_dir: Path
    spool_dir: Path
    model_dirs: tuple[Path, ...]
    """Folders of the models that a study is measured with, anatomy first."""
    node_host: str
    node_port: int
    node_ae_title: str
    version: str
    git_commit: str
    model_server: str = ""
    """host:port of the server that runs the models; "" where the worker does."""
    broker_answers: Callable[[], bool] | None = None
    """Asks Redis; None where workers poll the database."""
    submit: Callable[[str], None] = _nobody_waits
    """Tells workers that a job may be due (`jobs.queue.JobQueue.submit`)."""
    destinations: tuple[str, ...] = ()
    """Names of the systems that results are sent to."""
    recipients: Recipients = field(default_factory=Recipients)
    """Addresses that may be told of events; none unless the settings name some."""
    signer: Signer | None = None
    """Signs what they are told; None where nobody may be told."""
    spool_floor_bytes: int = 2**30
    """With less free disk the node refuses images."""
    configured: Configured = field(default_factory=Configured)
    """The settings as they are shown."""
    naming: Naming = field(default_factory=Naming)
    """Who is shown names of patients."""
    hosts: tuple[str, ...] = LOOPBACK_NAMES
    """Names that a browser may call us by; others are turned away (DNS rebinding)."""
    headers_dir: Path | None = None
    """Where DICOMweb keeps headers that it read; None: beside the spool."""
    dicomweb: bool = True
    """Whether there is DICOMweb."""
    dicomweb_origins: tuple[str, ...] = ()
    """Other sites whose pages may ask it."""
    audit_receiver: str = ""
    """host:port of the syslog server that the audit is handed on to; empty where there is none."""
    access: Policy = LOCAL_POLICY
    """How long, how often and through whom people come in."""


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


TheSite = Annotated[Site, Depends(_site)]
JobId = Annotated[str, PathParameter(pattern=r"^[0-9a-f]{32}$")]
StudyUid = Annotated[str, PathParameter(pattern=r"^[0-9.]{1,64}$")]
ResultName = Annotated[str, PathParameter(pattern=r"^[\w.-]{1,200}$")]
