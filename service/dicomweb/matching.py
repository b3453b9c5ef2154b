"""Attribute matching (PS3.4 C.2.2.2, as PS3.18 8.3.4.1 uses it) on values of the JSON model.

Pure: a condition and a document give yes or no. What is matched and how follows from the VR.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DATE = re.compile(r"\d{8}")
_TIME = re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?")
_LAST_TIME = "235959.999999"
_NUMBERS = frozenset(("DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"))
_EVERYTHING = ("", "*")


class NotMatchable(ValueError):  # noqa: N818 - it names the condition
    """A value that an attribute of this kind cannot be compared with."""


@dataclass(frozen=True)
class Condition:
    """An attribute, or one inside sequences, and what it must be."""

    path: tuple[str, ...]
    """Tags from the outermost sequence inwards."""
    vr: str
    """Of the innermost."""
    wanted: str

    def __post_init__(self) -> None:
        """Refuse, as `NotMatchable`, what cannot be compared with."""
        if not self.is_universal:
            _ = self.parts

    @property
    def is_universal(self) -> bool:
        """Whether everything fits, also what is empty (PS3.4 C.2.2.2.3)."""
        return self.wanted in _EVERYTHING

    def fits(self, document: Mapping[str, Any]) -> bool:
        """Tell whether one of the attribute's values is what is wanted."""
        if self.is_universal:
            return True
        return any(self._equals(value) for value in _values(document, self.path))

    def _equals(self, value: object) -> bool:
        if self.vr in ("DA", "TM"):
            low, high = self.parts
            return low <= _padded(str(value), self.vr, "0") <= high
        if self.vr in _NUMBERS:
            return _number(value) == float(self.wanted)
        if self.vr == "UI":
            return value in self.parts
        if isinstance(value, dict):  # a person's name in up to three scripts
            return any(self._pattern.fullmatch(str(group)) for group in value.values())
        return self._pattern.fullmatch(str(value).strip(" ")) is not None

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """First and last moment of dates and times, all of a list of UIDs, else nothing."""
        if self.vr in ("DA", "TM"):
            return _range(self.wanted, self.vr)
        if self.vr == "UI":
            return tuple(re.split(r"[\\,]", self.wanted))
        if self.vr in _NUMBERS and _number(self.wanted) is None:
            raise NotMatchable(f"{self.wanted!r} is no number")
        if self.vr == "SQ":
            raise NotMatchable("a sequence is matched by an attribute in it: Sequence.Attribute")
        return ()

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """* stands for any text, ? for one sign (C.2.2.2.4); names are compared without case."""
        named = self.vr == "PN"
        text = self.wanted.rstrip("^") if named else self.wanted
        parts = (_SIGNS.get(sign) or re.escape(sign) for sign in text)
        tail = r"\^*" if named else ""
        flags = re.DOTALL | (re.IGNORECASE if named else re.NOFLAG)
        return re.compile("".join(parts) + tail, flags)


_SIGNS = {"*": ".*", "?": "."}


def _values(document: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Any]:
    found = document.get(path[0], {}).get("Value", ())
    if len(path) == 1:
        yield from (value for value in found if value is not None)
        return
    for item in found:
        yield from _values(item, path[1:])


def _range(text: str, vr: str) -> tuple[str, str]:
    """Return the first and the last moment of `a`, `a-b`, `a-` or `-b` (C.2.2.2.5)."""
    low, dash, high = text.partition("-")
    given = [end for end in (low, high) if end]
    whole = _DATE if vr == "DA" else _TIME
    if not given or not all(whole.fullmatch(end) for end in given):
        example = "20260131 or 20260101-20260131" if vr == "DA" else "0930 or 0930-1130"
        raise NotMatchable(f"{text!r} is no {vr}, nor a range of them: write {example}")
    last = high if dash else low
    return _padded(low, vr, "0"), _padded(last or "99999999", vr, "9")


def _padded(text: str, vr: str, how: str) -> str:
    """Return a date or a time at full length: the first or the last moment that it may mean."""
    plain = text.strip().replace(".", "") if vr == "DA" else text.strip().replace(":", "")
    if vr == "DA":
        return plain
    filled = "000000.000000" if how == "0" else _LAST_TIME
    return plain + filled[len(plain) :]


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
