"""Lists page by page: `next` in the body, and the same as a Link header (RFC 8288)."""

from typing import Annotated

from fastapi import Query, Request, Response

Limit = Annotated[int, Query(ge=1, le=500, description="most entries of one page")]
LAST_ID = 2**53
"""Greatest number that every JSON reader keeps exactly; no row of ours comes near it."""


def link_next(request: Request, response: Response, **place: str | None) -> None:
    """Name the next page in a header: this request with another place to go on from."""
    if any(value is None for value in place.values()):
        return
    url = request.url.include_query_params(**place)
    response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
