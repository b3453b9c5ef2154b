"""Where a page of the list of studies ends: a place in an order, as a text for an address."""

from __future__ import annotations

import base64
import json
import math
import re
from dataclasses import dataclass
from datetime import MINYEAR, UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import Float, func, literal, select

from jobs.errors import CursorInvalid
from jobs.schema import UID, UtcTime, study_labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from sqlalchemy import ColumnElement


class Sort(StrEnum):
    """The orders that the list knows, greatest first; what has no such value comes last."""

    ARRIVAL = "arrival"  # of the last image
    STUDY_DATE = "study_date"
    TDV = "tdv"


@dataclass(frozen=True)
class Place:
    """The last study of a page and its value in the order."""

    sort: Sort
    value: Any
    """Arrival in UTC, study date as YYYYMMDD, or mL."""
    study_uid: str

    def cursor(self) -> str:
        """Return the place for an address: without the study's date, which is the patient's."""
        told = [self.sort, _WRITE[self.sort](self.value), self.study_uid]
        text = json.dumps(told, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()

    @classmethod
    def read(cls, cursor: str, sort: Sort) -> Self:
        """Read a cursor of this order.

        Raises:
            CursorInvalid: it is none.

        """
        if len(cursor) > _LONGEST:
            raise CursorInvalid(_REFUSAL)
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            named, value, uid = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
            place = cls(Sort(named), _READ[sort](value), _uid(uid))
        except (ValueError, TypeError) as error:
            raise CursorInvalid(_REFUSAL) from error
        if place.sort is not sort:
            raise CursorInvalid(_REFUSAL)
        return place

    def bound(self) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """Return value and UID for a comparison; a study's date is looked up again."""
        uid = literal(self.study_uid, UID)
        if self.sort is Sort.STUDY_DATE:
            mark = select(study_labels.c.study_date)
            mark = mark.where(study_labels.c.study_uid == self.study_uid)
            return func.coalesce(mark.scalar_subquery(), ""), uid
        kind = Float() if self.sort is Sort.TDV else UtcTime()
        return literal(self.value, kind), uid


_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_LONGEST = 300  # signs; ours have about half of it
_REFUSAL = "the cursor is not one that a page of this order gave: begin with the first page"


def utc(at: datetime) -> datetime:
    """Return a time in UTC; at either end of the calendar the nearest that there is.

    Raises:
        ValueError: it has no zone.

    """
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return _FIRST if at.year == MINYEAR else _LAST


def _text(at: datetime) -> str:
    return utc(at).isoformat()


def _nothing(_value: object) -> None:
    return None


def _uid(text: object) -> str:
    if not isinstance(text, str) or not re.fullmatch(r"[0-9.]{1,64}", text):
        raise ValueError(text)
    return text


def _aware(text: str) -> datetime:
    return utc(datetime.fromisoformat(text))


def _finite(value: object) -> float:
    number = float(str(value))
    if not math.isfinite(number):
        raise ValueError(number)
    return number


_WRITE: dict[Sort, Callable[[Any], str | float | None]] = {
    Sort.ARRIVAL: _text,
    Sort.STUDY_DATE: _nothing,
    Sort.TDV: float,
}
_READ: dict[Sort, Callable[[Any], datetime | float | None]] = {
    Sort.ARRIVAL: _aware,
    Sort.STUDY_DATE: _nothing,
    Sort.TDV: _finite,
}
