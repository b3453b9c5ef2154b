"""`/docs`: the REST interface as its OpenAPI document describes it, without another site."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from service.console.frame import render

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/docs", name="api_docs")
def api_docs(request: Request) -> HTMLResponse:
    """Show every address, what it takes and what it answers; reading ones can be tried."""
    return render(request, "api_docs.html", {})
