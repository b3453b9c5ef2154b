"""What the Studies screen was asked for: filters, order and place, as address and as form.

A text that is sought may be a patient's name, so it comes by a form and stands in no address.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal, get_args
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field

from jobs.listing import DatedBy, Flag, StudyQuery
from jobs.place import Sort

PER_PAGE = 50
State = Literal["arriving", "queued", "running", "delivered", "rejected", "failed", "held"]
STATES: tuple[State, ...] = get_args(State)
"""In the order in which a study passes them."""


class Asked(BaseModel):
    """Filters of the list, as they stand in an address."""

    model_config = ConfigDict(frozen=True)

    state: Annotated[tuple[State, ...], Field(max_length=7)] = ()
    flag: Flag | None = None
    since: date | None = None
    until: date | None = None
    """The last day that counts."""
    dated_by: DatedBy = DatedBy.ARRIVAL
    sort: Sort = Sort.ARRIVAL
    cursor: Annotated[str | None, Field(max_length=400)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = PER_PAGE

    def query(self, text: str = "", *, by_label: bool = False) -> StudyQuery:
        """Return it as the store takes it; days begin at midnight UTC."""
        by_study = self.dated_by is DatedBy.STUDY
        after_last = timedelta(0 if by_study else 1)
        return StudyQuery(
            text=text,
            by_label=by_label,
            states=frozenset(self.state),
            since=_midnight(self.since) if self.since else None,
            until=_midnight(self.until + after_last) if self.until else None,
            dated_by=self.dated_by,
            flag=self.flag,
            sort=self.sort,
            limit=self.limit,
            cursor=self.cursor,
        )

    def parameters(self) -> str:
        """Return the part of an address after `?`; empty for the plain list."""
        given = self.model_dump(mode="json", exclude_defaults=True, include=set(Asked.model_fields))
        return urlencode(given, doseq=True)

    def address(self) -> str:
        """Return the address of this list."""
        return f"/?{self.parameters()}".rstrip("?")

    def narrowed(self) -> bool:
        """Tell whether anything is left out of the list."""
        return bool(self.state or self.flag or self.since or self.until)


class AskedByForm(Asked):
    """The same as the form of the screen sends it, with a text and what its buttons change."""

    text: Annotated[str, Field(max_length=200, repr=False)] = ""
    show: State | Literal["all", ""] = ""
    """A button of the row of states: only this one."""

    def chosen(self) -> Asked:
        """Return the filters after the button."""
        fields = self.model_dump(include=set(Asked.model_fields))
        if self.show:
            fields["state"] = () if self.show == "all" else (self.show,)
        return Asked(**fields)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
