"""How a route of the REST interface takes a body, and answers the same request twice.

`Idempotency-Key` is what a program calls a request (draft-ietf-httpapi-idempotency-key-header):
sent again with the same key and content it changes nothing and gets the first answer once more.
"""

import hashlib
import json
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from jobs.idempotency import KeptAnswer
from service.access.caller import caller_of
from service.api.problems import Refused

if TYPE_CHECKING:
    from starlette.types import Message, Receive

    from service.api.site import Site

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEEP_S = 86_400.0
_HOLD_S = 60.0
MOST_BYTES = 65_536
"""Of a body; nothing that the interface describes comes near it."""
_SECRETS = ("secret",)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def _named(
    idempotency_key: Annotated[
        str | None,
        Header(
            description="what the caller calls this request; kept for a day",
            pattern=r"^[\x21-\x7e]{1,200}$",
        ),
    ] = None,
) -> None:
    """Describe the header; `ApiRoute` uses it."""
    del idempotency_key


REPEATABLE = [Depends(_named)]
"""Dependencies of a POST that may be sent again under one key."""


class ApiRoute(APIRoute):
    """A route that refuses bodies which are not JSON, and knows keys of requests."""

    def get_route_handler(self) -> Handler:
        """Wrap what answers."""
        answer = super().get_route_handler()
        takes_body = self.body_field is not None
        repeatable = any(d.dependency is _named for d in self.dependencies)

        async def handle(whole: Request) -> Response:
            request = Request(whole.scope, _limited(whole))
            if takes_body:
                await _require_json(request)
            key = request.headers.get(HEADER) if repeatable else None
            if key is None:
                return await answer(request)
            return await _once(request, key, answer)

        return handle


def api_router(below: str, tag: str) -> APIRouter:
    """Return a router for addresses below `/api/v1` whose routes are of this kind."""
    return APIRouter(prefix=f"/api/v1{below}", tags=[tag], route_class=ApiRoute)


def _limited(request: Request) -> "Receive":
    """Return the way to the body, which refuses one that is too large before it is in memory."""
    size = 0
    told = request.headers.get("content-length", "0")
    if not told.isdecimal() or int(told) > MOST_BYTES:
        raise Refused("TOO_LARGE", f"a request has at most {MOST_BYTES} bytes")

    async def receive() -> "Message":
        nonlocal size
        message = await request.receive()
        size += len(message.get("body", b""))
        if size > MOST_BYTES:
            raise Refused("TOO_LARGE", f"a request has at most {MOST_BYTES} bytes")
        return message

    return receive


async def _require_json(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if await request.body() and kind != "application/json":
        raise Refused("BODY_IS_NOT_JSON", "the body must be application/json")


async def _once(request: Request, key: str, answer: Handler) -> Response:
    """Answer by what is kept under the key; else do it, and keep the answer if it is no refusal."""
    site: Site = request.app.state.site
    named, digest = await _digests(request, key)
    kept = await run_in_threadpool(site.store.begin_answer, named, digest, _HOLD_S)
    if kept is not None:
        return _again(kept, digest)
    done: Response | None = None
    try:
        done = await answer(request)
    finally:
        if done is None or done.status_code >= 300:  # nothing was changed
            await run_in_threadpool(site.store.forget_answer, named)
    if done.status_code < 300:
        told = KeptAnswer(
            digest, done.status_code, done.headers.get("location", ""), _without_secrets(done.body)
        )
        await run_in_threadpool(site.store.keep_answer, named, told, KEEP_S)
    return done


async def _digests(request: Request, key: str) -> tuple[str, str]:
    """Return the digests of who asks under which key, and of what is asked."""
    caller = caller_of(request)
    who = "" if caller is None else f"{caller.via} {caller.name} {caller.key}"
    body = await request.body()
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + body
    return _digest(f"{who}\n{key}".encode()), _digest(asked)


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _again(kept: KeptAnswer, digest: str) -> Response:
    if kept.request != digest:
        text = "this key was given to another request; every request has a key of its own"
        raise Refused("KEY_WAS_FOR_ANOTHER", text)
    if kept.status is None:
        raise Refused("KEY_IN_USE", "this request is being answered at this moment; ask again")
    headers = {REPLAYED: "true"} | ({"Location": kept.location} if kept.location else {})
    return Response(kept.body, kept.status, headers, media_type="application/json")


def _without_secrets(body: bytes | memoryview) -> str:
    """Return an answer as it may be kept: a secret is shown once and stored nowhere."""
    text = bytes(body).decode()
    document = json.loads(text) if text else None
    if isinstance(document, dict) and any(name in document for name in _SECRETS):
        return json.dumps(document | {name: None for name in _SECRETS if name in document})
    return text
