"""`/api/v1/tokens`: who may come in, for admins."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from jobs.tokens import ApiToken
from service.access.caller import Role, caller_of
from service.access.issuing import LONGEST_NAME, issue_token
from service.api.site import TheSite

router = APIRouter(prefix="/api/v1/tokens", tags=["access"])

TokenId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
Word = Literal["viewer", "operator", "admin"]


class NewToken(BaseModel):
    """What a token is asked for."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME, pattern=r"\S")
    role: Word = "viewer"
    days: float | None = Field(default=365.0, gt=0, le=36_500)


class TokenOut(BaseModel):
    """What is known of a token; never the token itself."""

    id: str
    name: str
    role: Word
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    used_at: datetime | None
    """Coarse: within ten minutes."""
    revoked_at: datetime | None

    @classmethod
    def of(cls, token: ApiToken) -> "TokenOut":
        """Return a row of the store as the API gives it."""
        return cls.model_validate(vars(token))


class IssuedToken(TokenOut):
    """A new token with its secret, which is told this once."""

    token: str


@router.get("")
def list_tokens(site: TheSite) -> list[TokenOut]:
    """List every token that was made, the newest first."""
    return [TokenOut.of(token) for token in site.store.tokens()]


@router.post("", status_code=201, response_model=IssuedToken)
def create_token(request: Request, site: TheSite, asked: NewToken) -> JSONResponse:
    """Make a token; the answer is the only time that it is told."""
    caller = caller_of(request)
    by = caller.name if caller else ""
    secret, kept = issue_token(site.store, asked.name, Role.named(asked.role), by, asked.days)
    request.state.audit_detail = f"{kept.role} token {kept.id}"
    made = IssuedToken(**vars(kept), token=secret)
    return JSONResponse(made.model_dump(mode="json"), 201)


@router.delete("/{token_id}")
def revoke_token(request: Request, site: TheSite, token_id: TokenId) -> TokenOut:
    """End a token at once, and every session that was opened with it."""
    request.state.audit_detail = f"token {token_id}"
    return TokenOut.of(site.store.revoke_token(token_id))
