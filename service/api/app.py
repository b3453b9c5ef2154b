"""The web application: routes, errors, and the headers that every answer carries."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from service.access.gate import Gate
from service.access.routers import ROUTERS
from service.api import (
    archive,
    comments,
    documentation,
    events,
    health,
    jobs,
    problems,
    results,
    studies,
    system,
    webhooks,
)
from service.api.headers import HEADERS
from service.api.site import Site
from service.api.traced import TracedRequests
from service.console import screens
from service.console.problem_pages import ProblemPages
from service.dicomweb import routes as dicomweb
from service.dicomweb.origins import OtherOrigins
from service.metrics.requests import RequestTimes, TimedRequests

_REST = (studies, results, archive, jobs, comments, events, webhooks, system, health)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_PAGE = frozenset({"same-origin", "none"})


def create_app(site: Site) -> FastAPI:
    """Return the application for one installation; it opens nothing by itself."""
    app = FastAPI(
        title="Osteon",
        summary="Whole-body diffusion MRI measured; research software, not a medical device.",
        version=site.version,
        openapi_url="/api/v1/openapi.json",
        generate_unique_id_function=documentation.operation_id,
        docs_url=None,  # the stock pages load scripts from another site
        redoc_url=None,
    )
    app.state.site = site
    app.state.stopping = False
    problems.install(app)
    documentation.install(app)
    for module in _REST:
        app.include_router(module.router)
    for router in ROUTERS:
        app.include_router(router)
    screens.install(app)
    if site.dicomweb:
        dicomweb.install(app)
    app.add_middleware(Gate)  # inside what follows: its refusals have the headers too
    app.middleware("http")(_guard)
    app.add_middleware(ProblemPages)
    app.add_middleware(OtherOrigins, origins=site.dicomweb_origins)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(site.hosts))
    app.add_middleware(TracedRequests)
    app.state.request_times = RequestTimes()
    app.add_middleware(TimedRequests, times=app.state.request_times)
    return app


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Turn away changes that come from another site's page; put the headers on every answer."""
    from_page = request.headers.get("Sec-Fetch-Site", "none")
    if request.method not in _SAFE_METHODS and from_page not in _OWN_PAGE:
        response: Response = problems.cross_site()
    else:
        response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response
