"""`/api/v1/studies`: what arrived."""

from typing import Annotated

from fastapi import APIRouter, Query

from service.api.schemas import JobOut, StudyDetail, StudyOut
from service.api.site import StudyUid, TheSite

router = APIRouter(prefix="/api/v1/studies", tags=["studies"])


@router.get("")
def list_studies(
    site: TheSite,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: Annotated[str | None, Query(pattern=r"^[0-9.]{1,64}$")] = None,
) -> list[StudyOut]:
    """List studies, the latest arrival first; `after` is the last UID of the page before."""
    return [StudyOut.of(study) for study in site.store.studies(limit, after)]


@router.get("/{study_uid}")
def get_study(site: TheSite, study_uid: StudyUid) -> StudyDetail:
    """Return one study with its jobs."""
    study = StudyOut.of(site.store.study(study_uid))
    jobs = [JobOut.of(job, study.revision) for job in site.store.jobs(study_uid=study_uid)]
    return StudyDetail(**study.model_dump(), jobs=jobs)


@router.post("/{study_uid}/reprocess", status_code=202)
def reprocess_study(site: TheSite, study_uid: StudyUid) -> JobOut:
    """Measure a study again when nothing else waits; 409 while it arrives, waits or runs."""
    job = site.store.measure_again(study_uid)
    site.submit(job.id)
    return JobOut.of(job, job.revision)
