"""The choice of light or dark: a cookie, set by a link, so that it works without a script.

It is a GET because it changes nothing here: a reader who may change nothing may still choose.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse

from service.console.frame import THEME_COOKIE

router = APIRouter(include_in_schema=False)

_A_YEAR_S = 365 * 24 * 3600


@router.get("/appearance/{theme}", name="choose_theme")
def choose_theme(
    theme: Literal["auto", "light", "dark"],
    back: Annotated[str, Query(pattern=r"^/([^/\\].*)?$", max_length=2000)] = "/",
) -> RedirectResponse:
    """Remember the theme for a year and go back to the page; only to one of ours."""
    answer = RedirectResponse(back, status_code=303)
    answer.set_cookie(THEME_COOKIE, theme, max_age=_A_YEAR_S, httponly=True, samesite="lax")
    return answer
