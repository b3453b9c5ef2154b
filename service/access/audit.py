"""`/api/v1/audit`: who saw, sent and changed what, for admins."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from service.access.audit_lines import Form, audit_lines
from service.api.site import TheSite

router = APIRouter(prefix="/api/v1/audit", tags=["access"])

After = Annotated[int, Query(ge=0, le=2**63 - 1)]


class AuditOut(BaseModel):
    """An entry with its place in the chain."""

    id: int
    at: datetime
    event: str
    outcome: str
    actor: str
    role: str
    address: str
    study_uid: str | None
    job_id: str | None
    detail: str
    previous: str
    digest: str


class AuditPage(BaseModel):
    """Entries, the oldest first, and where the next page begins."""

    items: list[AuditOut]
    next: int | None
    """For `after`; empty at the end."""


@router.get("")
def list_audit(
    site: TheSite, after: After = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> AuditPage:
    """List entries with ids above `after`, in order."""
    rows = site.store.audit(after, limit)
    items = [AuditOut.model_validate(vars(row)) for row in rows]
    return AuditPage(items=items, next=rows[-1].id if len(rows) == limit else None)


@router.get("/export", response_class=StreamingResponse)
def export_audit(site: TheSite, after: After = 0, form: Form = "jsonl") -> StreamingResponse:
    """Return all entries with ids above `after`: JSON, or a DICOM audit message (XML), a line."""
    lines = audit_lines(site.store.audit_rows(after), form, site.node_ae_title)
    media_type = "application/x-ndjson" if form == "jsonl" else "text/plain; charset=utf-8"
    headers = {"Content-Disposition": f'attachment; filename="audit.{form}"'}
    return StreamingResponse(lines, media_type=media_type, headers=headers)
