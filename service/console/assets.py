"""Style sheets, scripts and icons, served under addresses that change with their content.

Every file has the address `/static/<version>/<path>`, `version` being a hash of the whole folder:
a browser keeps a file for a year, a relative address inside a style sheet or a module stays in the
same version, and after an upgrade nothing old is taken.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi.staticfiles import StaticFiles

if TYPE_CHECKING:
    import os

    from fastapi import Response
    from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"
MOUNTED_AT = "/static"
_FOR_A_YEAR = "public, max-age=31536000, immutable"
_ASK_EACH_TIME = "no-cache"


@cache
def assets_version() -> str:
    """Return 16 hexadecimal digits of the folder's content; read once in a process."""
    digest = hashlib.sha256()
    for path in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        digest.update(path.relative_to(FOLDER).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def address(path: str) -> str:
    """Return where a file of `static/` is served.

    Raises:
        FileNotFoundError: there is none of this name; a page never names a file that is not there.

    """
    if not (FOLDER / path).is_file():
        raise FileNotFoundError(f"static/{path}")
    return f"{MOUNTED_AT}/{assets_version()}/{path}"


class Assets(StaticFiles):
    """Serves the folder with and without a version in the address; only with it for a year."""

    def __init__(self) -> None:
        """Serve `static/`."""
        super().__init__(directory=FOLDER)

    def get_path(self, scope: Scope) -> str:
        """Return the path in the folder: the address without this version."""
        return super().get_path(scope).removeprefix(f"{assets_version()}/")

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return the file with how long it may be kept."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        versioned = super().get_path(scope).startswith(f"{assets_version()}/")
        response.headers["Cache-Control"] = _FOR_A_YEAR if versioned else _ASK_EACH_TIME
        return response
