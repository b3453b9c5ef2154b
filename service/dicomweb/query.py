"""A search as its query parameters say it (PS3.18 8.3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicom_objects.served.dictionary import tag_of, vr_of
from service.dicomweb.attributes import ATTRIBUTES, Level, level_of
from service.dicomweb.matching import Condition, NotMatchable
from service.dicomweb.refusals import bad_query

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = {Level.STUDY: 1000, Level.SERIES: 5000, Level.INSTANCE: 5000}
"""The most that one answer lists; the rest by limit and offset."""
_OWN = frozenset(("limit", "offset", "fuzzymatching", "includefield", "accept"))
_MOST_CONDITIONS = 64
_LONGEST = 4096


@dataclass(frozen=True)
class Search:
    """What is searched for."""

    level: Level
    conditions: tuple[tuple[Level, Condition], ...]
    """Each with the level that its attribute is of."""
    included: frozenset[str]
    """Tags that are wanted besides those that every answer has."""
    everything: bool
    """includefield=all."""
    limit: int
    offset: int
    fuzzy: bool

    def at(self, level: Level) -> tuple[Condition, ...]:
        """Return the conditions on a level's attributes."""
        return tuple(condition for one, condition in self.conditions if one is level)


def read_search(level: Level, parameters: Iterable[tuple[str, str]]) -> Search:
    """Read the query parameters of a search.

    Raises:
        Refused: one of them is not what PS3.18 allows, or no attribute that is matched here.

    """
    own: dict[str, str] = {}
    included: list[str] = []
    conditions: dict[str, tuple[Level, Condition]] = {}
    for name, value in parameters:
        if len(value) > _LONGEST or len(conditions) > _MOST_CONDITIONS:
            raise bad_query("the query is too long")
        if name == "includefield":
            included.extend(value.split(","))
        elif name in _OWN:
            own[name] = value
        elif name in conditions:
            raise bad_query(f"{name} is given twice; lists are separated by commas")
        else:
            conditions[name] = _condition(level, name, value)
    everything = "all" in included
    tags = frozenset(_tag(name) for name in included if name not in ("all", ""))
    limit = min(_number(own, "limit", MOST[level]), MOST[level])
    fuzzy = own.get("fuzzymatching") == "true"
    given = tuple(conditions.values())
    return Search(level, given, tags, everything, limit, _number(own, "offset", 0), fuzzy)


def _condition(level: Level, name: str, value: str) -> tuple[Level, Condition]:
    path = tuple(_tag(step) for step in name.split("."))
    found = level_of(path[0], level)
    if found is None:
        text = f"{name[:64]} is not matched in a search for {_PLURAL[level]}: docs/dicomweb.md"
        raise bad_query(text)
    try:
        return found, Condition(path, vr_of(path[-1]), value)
    except NotMatchable as error:
        raise bad_query(f"{name[:64]}: {str(error)[:200]}") from error


def _tag(name: str) -> str:
    tag = tag_of(name)
    if tag is None:
        raise bad_query(f"{name[:64]!r} is no keyword and no tag of a standard attribute")
    return tag


def _number(own: dict[str, str], name: str, otherwise: int) -> int:
    text = own.get(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise bad_query(f"{name} is a whole number, zero or more")
    return int(text)


_PLURAL = {Level.STUDY: "studies", Level.SERIES: "series", Level.INSTANCE: "instances"}


def shown_tags(search: Search, level: Level) -> dict[str, str]:
    """Return tag and VR of what of a level's headers is given, present or not."""
    known = ATTRIBUTES[level]
    shown = dict(known.required_tags)
    optional = known.optional_tags
    wanted = optional if search.everything else search.included & optional.keys()
    return shown | {tag: optional[tag] for tag in wanted}
