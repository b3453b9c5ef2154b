"""What keeps studies from being measured or delivered, in a sentence each, for the top of the list.

What single studies ended with stands in their rows; this is what concerns many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.console.pace import span_words

if TYPE_CHECKING:
    from jobs.overview import Overview

_NOBODY_TAKES_S = 120.0
_PENDING_LONG_S = 900.0


@dataclass(frozen=True)
class Trouble:
    """One sentence and where to look."""

    words: str
    address: str


def troubles(overview: Overview) -> tuple[Trouble, ...]:
    """Return what a person should look at; empty when work goes its way."""
    found = []
    if overview.n_due and overview.due_for_s > _NOBODY_TAKES_S:
        waited = span_words(overview.due_for_s)
        text = f"{_studies(overview.n_due)} waited for a worker, the first for {waited}"
        found.append(Trouble(f"{text}: is a worker running?", "/system"))
    if overview.leases_run_out:
        text = f"{_studies(overview.leases_run_out)} lost the worker that measured them"
        found.append(Trouble(f"{text}: the next one that is free begins again", "/system"))
    found += [
        Trouble(
            f"{one.n_objects} results have waited for {one.destination} "
            f"for {span_words(one.oldest_s)}: does it answer?",
            "/system",
        )
        for one in overview.pending
        if one.oldest_s > _PENDING_LONG_S
    ]
    return tuple(found)


def _studies(number: int) -> str:
    return "1 study has" if number == 1 else f"{number} studies have"
