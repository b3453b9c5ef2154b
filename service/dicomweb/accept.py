"""Which media types a request accepts: the Accept header with DICOM's parameters (PS3.18 8.7)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import Request

MULTIPART = "multipart/related"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PART = re.compile(rf"(?:{_QUOTED}|[^,\"])+")
# Clients write type=application/dicom without the quotes that its slash asks for: take it.
_PARAMETER = re.compile(rf";\s*([\w.-]+)\s*=\s*({_QUOTED}|[^;]*)")
_LONGEST = 4096


@dataclass(frozen=True)
class MediaRange:
    """One of the media types that are accepted."""

    media_type: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def transfer_syntax(self) -> str | None:
        """The transfer syntax that is asked for; "*": any."""
        return self.parameters.get("transfer-syntax")

    @property
    def part_type(self) -> str:
        """What the parts of multipart/related should be, else the media type itself."""
        return self.parameters.get("type", "*/*") if self.is_multipart else self.media_type

    @property
    def is_multipart(self) -> bool:
        """Whether several parts may come."""
        return self.media_type == MULTIPART

    def takes(self, media_type: str) -> bool:
        """Tell whether `media_type` is one of these, as a part or as it is."""
        group = media_type.partition("/")[0]
        return self.part_type in (media_type, f"{group}/*", "*/*")


ANYTHING = MediaRange("*/*", {"transfer-syntax": "*"})
"""What is accepted where nothing is said, or all: objects as they are stored."""


def accepted(request: Request) -> tuple[MediaRange, ...]:
    """Return what is accepted, best first; the query parameter `accept` wins (PS3.18 8.3.3.1)."""
    text = request.query_params.get("accept") or request.headers.get("accept") or "*/*"
    return parse_accept(text)


def parse_accept(text: str) -> tuple[MediaRange, ...]:
    """Return the media ranges of an Accept header, best first; those with q=0 are left out."""
    found = [_media_range(part) for part in _PART.findall(text[:_LONGEST])]
    ranked = sorted((one for one in found if one[0] > 0), key=lambda one: -one[0])
    return tuple(ANYTHING if r.media_type == "*/*" else r for _, r in ranked) or (ANYTHING,)


def _media_range(part: str) -> tuple[float, MediaRange]:
    media_type = part.partition(";")[0].strip().lower()
    given = dict(_parameters(part))
    return _quality(given.pop("q", "1")), MediaRange(media_type, given)


def _parameters(part: str) -> Iterator[tuple[str, str]]:
    for name, value in _PARAMETER.findall(part):
        plain = value.strip()
        if plain.startswith('"'):
            plain = re.sub(r"\\(.)", r"\1", plain[1:-1])
        name_ = name.lower()
        yield name_, plain.lower() if name_ == "type" else plain


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
