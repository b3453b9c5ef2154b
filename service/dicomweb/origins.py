"""Which other sites' pages may read DICOMweb: none, unless the settings name them (CORS)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware.cors import CORSMiddleware

from service.dicomweb.parts import PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

_HEADERS = ("Accept", "Authorization", "Content-Type")
_SHOWN = ("Content-Location", "Warning", "WWW-Authenticate")


class OtherOrigins:
    """ASGI middleware: lets pages of `origins`, such as an OHIF elsewhere, ask DICOMweb only.

    It stands before the gate, because a browser asks whether it may ask without saying who it is.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        """Allow these; a page still has to say who it is by a token, cookies do not come along."""
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=list(origins),
            allow_methods=("GET",),
            allow_headers=_HEADERS,
            expose_headers=_SHOWN,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        dicomweb = scope["type"] == "http" and scope["path"].startswith(f"{PREFIX}/")
        await (self._open if dicomweb else self._app)(scope, receive, send)
