"""The rows of one page of the list and how the work stands, by a fixed number of statements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.job import JobState
from service.access.caller import caller_of
from service.console.rows import Row, Work, row_of

if TYPE_CHECKING:
    from fastapi import Request

    from jobs.listing import Page, StudyQuery
    from jobs.store import JobStore
    from service.api.site import Site


@dataclass(frozen=True)
class Worklist:
    """One page of the list."""

    rows: tuple[Row, ...]
    next: str | None
    """Cursor of the page after it."""


def may_search_names(request: Request) -> bool:
    """Tell whether who asks is shown names: else a search must not find by them."""
    site: Site = request.app.state.site
    return site.naming.shows(caller_of(request))


def worklist(request: Request, query: StudyQuery) -> Worklist:
    """Return the rows that a query finds, named as the caller may see them.

    Raises:
        CursorInvalid: the cursor is none of this order's.

    """
    site: Site = request.app.state.site
    caller = caller_of(request)
    page = site.store.listed(query)
    work = Work(
        pace=request.app.state.pace.of(site.store),
        waiting=_waiting(site.store, page),
        arriving=frozenset(study.uid for study in site.store.open_studies()),
    )
    named = ((one, site.naming.of(one.label, caller)) for one in page.studies)
    return Worklist(tuple(row_of(one, name, work) for one, name in named), page.next)


def _waiting(store: JobStore, page: Page) -> dict[str, int]:
    """Return places in the queue; asks only where somebody on the page waits."""
    if not any(one.job and one.job.state is JobState.QUEUED for one in page.studies):
        return {}
    return {job.id: place for place, job in enumerate(store.due(), 1)}
