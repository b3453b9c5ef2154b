"""Requests that another site's page makes with a reader's cookie (CSRF) are found and refused.

Three guards stand one behind the other: the cookie is SameSite=Lax, a browser's Sec-Fetch-Site and
Origin must be ours, and every change carries a token that only our pages know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from service.access.credentials import is_same

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Message, Receive

HEADER = "x-csrf-token"
FIELD = "csrf_token"
_FORM = "application/x-www-form-urlencoded"
_MOST_BYTES = 65_536


def is_from_our_page(request: Request, public_url: str) -> bool:
    """Tell whether a browser says that one of our own pages asks; silence is no reason to refuse.

    `Origin: null` says nothing: our pages send it too, because they tell nobody where one was.
    """
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin", "null")
    if origin == "null":
        return True
    ours = {request.headers.get("host", ""), urlsplit(public_url).netloc}
    return urlsplit(origin).netloc in ours - {""}


async def given_token(request: Request) -> tuple[str, Receive]:
    """Return the token of a request, "" where none is, and where its body is to be read from then.

    It stands in a header, or in a field of a form, whose first 64 KiB are looked at.
    """
    header = request.headers.get(HEADER)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if header is not None or kind != _FORM:
        return header or "", request.receive
    messages: list[Message] = []
    body = b""
    while not messages or (messages[-1].get("more_body") and len(body) < _MOST_BYTES):
        messages.append(await request.receive())
        body += messages[-1].get("body", b"")
    fields = parse_qs(body[:_MOST_BYTES].decode("latin-1"))
    return fields.get(FIELD, [""])[0], _again(messages, request.receive)


def carries(given: str, csrf_token: str) -> bool:
    """Tell whether the token that was given is the session's."""
    return bool(csrf_token) and is_same(given, csrf_token)


def _again(messages: list[Message], receive: Receive) -> Receive:
    """Return a way to read a body whose first messages were read already."""
    left = iter(messages)

    async def read() -> Message:
        return next(left, None) or await receive()

    return read
