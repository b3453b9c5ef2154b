"""The System screen: whether everything that a study needs is there, and what waits."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from jobs.job import Priority
from service.api.site import Site, TheSite
from service.console.frame import age, render
from service.console.vendor import vendored
from service.echo import Echo, echo_peer
from service.installation import look

router = APIRouter(include_in_schema=False)

_GIB = 2**30


@router.get("/system", name="system")
def system(request: Request, site: TheSite) -> HTMLResponse:
    """Show how the installation is doing now."""
    return _page(request, site)


@router.post("/system/peers/{name}/echo", name="echo_peer")
def echo(request: Request, site: TheSite, name: str) -> HTMLResponse:
    """Ask a destination of the settings whether it answers; no other address can be asked."""
    peer = next((peer for peer in site.configured.peers if peer.name == name), None)
    if peer is None:
        raise HTTPException(404)
    heard = echo_peer(peer)
    if request.headers.get("HX-Request"):
        return render(request, "system_echo.html", {"heard": heard})
    return _page(request, site, heard)


def _page(request: Request, site: Site, heard: Echo | None = None) -> HTMLResponse:
    context = {
        "now": look(site),
        "peers": site.configured.peers,
        "heard": heard,
        "priorities": tuple(Priority),
        "vendored": vendored(),
        "lasting": _lasting,
        "gib": _gib,
    }
    return render(request, "system.html", context)


def _lasting(seconds: float | None) -> str:
    """Say how long something lasts, as ages are said."""
    return "" if seconds is None else age(datetime.now(UTC) - timedelta(seconds=seconds))


def _gib(size: int) -> str:
    return f"{size / _GIB:.1f} GiB"
