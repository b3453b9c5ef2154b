"""DICOMweb as one part of the web server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from service.dicomweb import retrieve_routes, search_routes
from service.dicomweb.parts import PREFIX, lifespan

if TYPE_CHECKING:
    from fastapi import FastAPI


def install(app: FastAPI) -> None:
    """Add the routes; PS3.18 describes them, so the OpenAPI document of the REST API does not."""
    router = APIRouter(prefix=PREFIX, include_in_schema=False, lifespan=lifespan)
    for module in (search_routes, retrieve_routes):
        router.include_router(module.router)
    app.include_router(router)
