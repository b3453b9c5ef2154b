"""`/api/v1/studies/{uid}/comments`: what readers wrote beside a run; it is never changed."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from jobs.comments import LONGEST, LONGEST_ASSESSMENT, Comment
from jobs.errors import UnknownJob
from service.access.caller import caller_of
from service.api.conditional import IfNoneMatch, document
from service.api.route import api_router
from service.api.site import StudyUid, TheSite

router = api_router("/studies/{study_uid}/comments", "studies")


class CommentIn(BaseModel):
    """What a reader writes; text or assessment must say something."""

    model_config = ConfigDict(extra="forbid")

    job_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="the run that was read")]
    text: Annotated[str, Field(max_length=LONGEST)] = ""
    assessment: Annotated[
        str, Field(max_length=LONGEST_ASSESSMENT, description="the reader's own, such as a RAC")
    ] = ""


class CommentOut(BaseModel):
    """What a reader wrote. No measurement, report or object for the PACS uses it."""

    id: int
    job_id: str
    at: datetime
    author: str
    assessment: str
    text: str

    @classmethod
    def of(cls, comment: Comment) -> Self:
        """Copy the domain's value."""
        return cls(
            id=comment.id,
            job_id=comment.job_id,
            at=comment.at,
            author=comment.author,
            assessment=comment.assessment,
            text=comment.text,
        )


class CommentList(BaseModel):
    """All comments of a study, oldest first."""

    items: list[CommentOut]


@router.get("", response_model=CommentList)
def list_comments(
    site: TheSite, study_uid: StudyUid, if_none_match: IfNoneMatch = None
) -> Response:
    """List what readers wrote beside the runs of a study, oldest first."""
    site.store.study(study_uid)
    found = [CommentOut.of(comment) for comment in site.store.comments(study_uid)]
    return document(CommentList(items=found), if_none_match)


@router.post("", status_code=201)
def add_comment(
    request: Request, site: TheSite, study_uid: StudyUid, given: CommentIn
) -> CommentOut:
    """Keep what a reader wrote beside a run; it cannot be changed afterwards.

    Not repeatable by a key: what people write is kept in one place only.
    """
    if site.store.job(given.job_id).study_uid != study_uid:
        raise UnknownJob(f"study {study_uid} has no run {given.job_id}")
    caller = caller_of(request)
    author = caller.name if caller else ""
    kept = site.store.add_comment(given.job_id, author, given.text, given.assessment)
    return CommentOut.of(kept)
