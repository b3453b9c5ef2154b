"""The file of an object: what the store says, checked to lie where objects lie."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from service.dicomweb.refusals import not_held

if TYPE_CHECKING:
    from pathlib import Path

    from service.api.site import Site

EXPLICIT_LE = "1.2.840.10008.1.2.1"
"""What every object that Osteon made is written in (docs/results.md)."""


class Placed(Protocol):
    """What says where a file is: `jobs.holdings`."""

    @property
    def path(self) -> str:
        """Below its folder."""

    @property
    def made(self) -> bool:
        """By a job: it is in the folder of results."""


def file_of(site: Site, placed: Placed) -> Path:
    """Return the file.

    Raises:
        Refused: it is gone, is a link, or lies outside its folder.

    """
    folder = site.results_dir if placed.made else site.spool_dir
    path = folder / placed.path
    inside = os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep)
    if not inside or path.is_symlink() or not path.is_file():
        raise not_held("a file of this is not there any more")
    return path
