"""Documents with a strong ETag: who has this one already is answered 304 (RFC 9110 section 13)."""

import hashlib
from typing import Annotated

from fastapi import Header, Response
from pydantic import BaseModel

IfNoneMatch = Annotated[
    str | None, Header(description="ETag of the copy that the caller has", max_length=2000)
]
CHANGES = "private, no-cache"
"""May be kept, and is asked for again each time: a document that may change."""
NEVER_CHANGES = "private, max-age=31536000, immutable"
"""Bytes that stand under this address for ever."""


def document(model: BaseModel, given: str | None) -> Response:
    """Answer with a document as JSON, or with 304 where `given` (If-None-Match) has its tag."""
    body = model.model_dump_json().encode()
    tag = tag_of(body)
    headers = {"ETag": tag, "Cache-Control": CHANGES}
    if is_known(tag, given):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def tag_of(body: bytes) -> str:
    """Return the strong ETag of a representation."""
    return f'"{hashlib.sha256(body).hexdigest()}"'


def is_known(tag: str, given: str | None) -> bool:
    """Tell whether an If-None-Match names this tag; weak comparison, as it asks."""
    if given is None:
        return False
    named = {part.strip().removeprefix("W/") for part in given.split(",")}
    return "*" in named or tag in named
