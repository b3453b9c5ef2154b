"""What the routes of DICOMweb share: made at the first request, ended with the server."""

from __future__ import annotations

import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from service.access.caller import caller_of
from service.dicomweb.catalogue import Catalogue
from service.dicomweb.header_cache import HeaderCache
from service.dicomweb.reading import ObjectReader
from service.dicomweb.refusals import names_hidden

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from service.api.site import Site

PREFIX = "/dicom-web"
_MAKING = threading.Lock()


@dataclass(frozen=True)
class DicomWeb:
    """What is held, and who reads it."""

    site: Site
    catalogue: Catalogue
    reader: ObjectReader

    def close(self) -> None:
        """End the child that reads, and remove what was temporary."""
        self.reader.close()
        self.catalogue.cache.close()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Close with the server what was made."""
    yield
    made: DicomWeb | None = getattr(app.state, "dicomweb", None)
    if made is not None:
        await run_in_threadpool(made.close)


def _parts(request: Request) -> DicomWeb:
    state = request.app.state
    if not state.site.naming.shows(caller_of(request)):
        raise names_hidden()
    with _MAKING:
        if getattr(state, "dicomweb", None) is None:
            reader = ObjectReader()
            cache = HeaderCache(state.site.headers_dir or state.site.spool_dir.parent / "headers")
            state.dicomweb = DicomWeb(state.site, Catalogue(state.site, cache, reader), reader)
        made: DicomWeb = state.dicomweb
        return made


TheParts = Annotated[DicomWeb, Depends(_parts)]


def root_of(request: Request) -> str:
    """Return the address of the service as the caller wrote it.

    A proxy that ends TLS hides it: where the name is that of `access.public_url`, that is it.
    """
    public: str = request.app.state.site.access.public_url
    if public and urlsplit(public).netloc == request.headers.get("host"):
        return public + PREFIX
    return str(request.base_url).rstrip("/") + PREFIX
