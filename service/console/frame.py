"""The frame of every page: research-use line, navigation, theme, and how a screen is rendered.

A screen is a module with `router = APIRouter(include_in_schema=False)`, listed in
`service/console/screens.py`. Its template extends `page.html` (blocks `title`, `content`,
`scripts`); templates of `report/` can be included. Everything is escaped; there is no inline
script and no inline style, and titles and addresses hold nothing of a patient.

What the middleware of access leaves in `request.state` is shown: `caller` (name, role) and
`csrf_token`, which `csrf_field()` and htmx's header carry.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, pass_context
from markupsafe import Markup

from report.rounding import present
from service.console.assets import address
from service.console.pace import span_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request
    from jinja2.runtime import Context

THEME_COOKIE = "osteon_theme"
THEMES = ("auto", "light", "dark")


@cache
def environment() -> Environment:
    """Return the templates of the console, and behind them those of the report."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader("service.console"), PackageLoader("report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"moment": moment, "day": day, "age": age, "present": present}
    made.globals |= {"static": address, "csrf_field": _csrf_field}
    return made


def render(
    request: Request, template: str, context: Mapping[str, object], status: int = 200
) -> HTMLResponse:
    """Return a page (or, with a template that does not extend `page.html`, a part of one)."""
    return HTMLResponse(rendered(request, template, context), status)


def rendered(request: Request, template: str, context: Mapping[str, object]) -> str:
    """Return the HTML alone, as for a message of an event stream."""
    return environment().get_template(template).render({**_frame(request), **context})


def theme_of(request: Request) -> str:
    """Return what the reader chose: auto (as the system), light or dark."""
    chosen = request.cookies.get(THEME_COOKIE, THEMES[0])
    return chosen if chosen in THEMES else THEMES[0]


def moment(at: datetime) -> str:
    """Write a time for people, with its zone."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def day(at: datetime) -> str:
    """Write a date."""
    return at.astimezone(UTC).strftime("%Y-%m-%d")


def age(at: datetime) -> str:
    """Say how long ago something was: 40 s, 5 min, 3 h, 12 d."""
    return span_words((datetime.now(UTC) - at).total_seconds())


def _frame(request: Request) -> dict[str, Any]:
    """Return what `page.html` shows itself."""
    state = request.state
    return {
        "request": request,
        "site": request.app.state.site,
        "navigation": request.app.state.navigation,
        "caller": getattr(state, "caller", None),
        "csrf_token": getattr(state, "csrf_token", None),
        "theme": theme_of(request),
        "themes": THEMES,
        "here": request.url.path,
        "back": _address(request),
    }


def _address(request: Request) -> str:
    """Return where this page can be asked for again; the start where a form made it."""
    if request.method != "GET":
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


@pass_context
def _csrf_field(context: Context) -> Markup:
    """Return the hidden field of a form; nothing where no session needs one."""
    token = context.get("csrf_token")
    field = Markup('<input type="hidden" name="csrf_token" value="{}">')
    return field.format(token) if token else Markup("")
