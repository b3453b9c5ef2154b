"""What a page says of earlier studies in the archive: on their way, missing, or come late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.job import EventKind
from jobs.prior import FOUND, PriorState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.job import Job
    from jobs.prior import WishedPrior
    from service.api.site import Site


def prior_parts(site: Site, job: Job) -> dict[str, object]:
    """Return a line for each earlier study that was asked for, and for a search without answer."""
    store = site.store
    late = {
        str(event.data["prior"])
        for event in store.events(job.id)
        if event.kind is EventKind.PRIOR_MEASURED
    }
    lines = [_line(wish, late) for wish in store.wished_priors(job.study_uid)]
    return {
        "prior_lines": [*_search(site, job), *lines],
        "only_prior": store.is_only_prior(job.study_uid),
    }


def _search(site: Site, job: Job) -> Iterator[str]:
    search = site.store.prior_search(job.study_uid)
    if search is not None and not search.answered:
        yield "The archive is being asked for earlier studies; it has not answered yet."
    elif search is not None and search.code != FOUND:
        yield f"The archive could not be asked for earlier studies ({search.code})."
    if search is not None and search.left_out:
        yield (
            "The archive holds studies under this Patient ID that say another name, date of birth"
            " or sex; they were not fetched."
        )


def _line(wish: WishedPrior, late: set[str]) -> str:
    day = wish.taken_on
    study = f"The earlier study of {day[:4]}-{day[4:6]}-{day[6:]}" if day else "An earlier study"
    if wish.study_uid in late:
        return f"{study} was measured after this run; Process again compares with it."
    if wish.measured:
        return f"{study} came from the archive and is measured."
    if wish.state is PriorState.FAILED:
        return f"{study} could not be fetched from the archive ({wish.code})."
    if not wish.awaited:
        return f"{study} came from the archive and could not be measured."
    where = {
        PriorState.WANTED: "is to be fetched from the archive",
        PriorState.FETCHING: "is being fetched from the archive",
        PriorState.FETCHED: "came from the archive and is being measured",
    }[wish.state]
    return f"{study} {where}{f' ({wish.code})' if wish.code else ''}."
