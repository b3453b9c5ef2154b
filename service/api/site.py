"""What every route needs, and how it gets it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from fastapi import Path as PathParameter

from jobs.store import JobStore

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


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
    hosts: tuple[str, ...] = LOOPBACK_NAMES
    """Names that a browser may call us by; others are turned away (DNS rebinding)."""


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


TheSite = Annotated[Site, Depends(_site)]
JobId = Annotated[str, PathParameter(pattern=r"^[0-9a-f]{32}$")]
StudyUid = Annotated[str, PathParameter(pattern=r"^[0-9.]{1,64}$")]
ResultName = Annotated[str, PathParameter(pattern=r"^[\w.-]{1,200}$")]
