"""The Settings screen: what is in force, where it came from, and where to change it."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from service.api.site import TheSite
from service.console.frame import render
from service.origins import Source

router = APIRouter(include_in_schema=False)


@router.get("/settings", name="settings")
def settings(request: Request, site: TheSite) -> HTMLResponse:
    """Show every setting; they are read once, when a process starts, and not changed here."""
    shown = site.configured
    changed = sum(
        entry.source is not Source.DEFAULT for group in shown.groups for entry in group.entries
    )
    context = {"groups": shown.groups, "file": shown.file, "n_changed": changed}
    return render(request, "settings.html", context)
