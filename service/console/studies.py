"""The Studies screen: what arrived, how far it is, what was measured, and what went wrong."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from jobs.listing import DatedBy, Flag
from service.alerts import Alert, of_work
from service.api.site import Site, TheSite
from service.console.asked import STATES, Asked, AskedByForm
from service.console.frame import render
from service.console.links import pointed_at
from service.console.worklist import may_search_names, worklist

router = APIRouter(include_in_schema=False)

_IN_ROWS = frozenset({"OsteonJobHeld", "OsteonDeadLetter"})
_EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not bound to


@router.get("/", name="studies")
def studies(request: Request, site: TheSite, asked: Annotated[Asked, Query()]) -> Response:
    """List studies, or go to the one that a link of the PACS names."""
    study_uid = pointed_at(request)
    if study_uid is not None:
        return RedirectResponse(f"/studies/{study_uid}", status_code=303)
    return _page(request, site, asked)


@router.post("/find", name="find_studies")
def find_studies(
    request: Request, site: TheSite, asked: Annotated[AskedByForm, Form()]
) -> Response:
    """Apply the form: an address without what may name a patient, or the page itself."""
    if asked.text.strip():
        return _page(request, site, asked.chosen(), asked.text)
    return RedirectResponse(asked.chosen().address(), status_code=303)


def _page(request: Request, site: Site, asked: Asked, text: str = "") -> HTMLResponse:
    """Render the screen; the event id is read first, so that the live rows miss nothing."""
    after = site.store.last_event_id()
    by_name = may_search_names(request)
    found = worklist(request, asked.query(text, by_label=by_name))
    context: dict[str, Any] = {
        "asked": asked,
        "text": text,
        "by_name": by_name,
        "states": STATES,
        "flags": tuple(Flag),
        "dated_by": tuple(DatedBy),
        "counts": site.store.study_states(),
        "alerts": _alerts(site),
        "rows": found.rows,
        "next": found.next,
        "after": after,
        "live": _parameters(asked, after),
        "host": request.url.hostname if site.node_host in _EVERYWHERE else site.node_host,
    }
    answer = render(request, "studies.html", context)
    if "HX-Request" in request.headers:
        answer.headers["HX-Replace-Url"] = "/" if text else asked.address()
    return answer


def _alerts(site: Site) -> tuple[Alert, ...]:
    """Return what keeps many studies from being measured or delivered; of one its row tells."""
    store = site.store
    found = of_work(store.counts(), store.overview(), store.workers())
    return tuple(alert for alert in found if alert.name not in _IN_ROWS)


def _parameters(asked: Asked, after: int) -> str:
    given = asked.parameters()
    return f"{given}&after={after}" if given else f"after={after}"
