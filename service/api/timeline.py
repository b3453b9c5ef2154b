"""A patient's studies over time, found by one of them."""

from jobs.examination import EarlierResult
from jobs.job import JobState
from jobs.store import JobStore
from service.api.study_schemas import HeadlineOut, Timeline, TimelinePoint


def timeline(store: JobStore, study_uid: str) -> Timeline:
    """Return the headline numbers of the patient's delivered studies, the oldest first.

    The study itself stands among them once it was delivered. Empty where the images do not say
    whose they are, or studies are not compared.

    Raises:
        UnknownStudy: nothing of it arrived.

    """
    store.study(study_uid)
    record = store.examination(study_uid)
    if record is None:
        return Timeline(study_uid=study_uid, points=[], left_out=0)
    others = store.other_results(record)
    same = [one for one in others if not record.conflicts_with(one.examination)]
    own = [
        EarlierResult(record, job.id)
        for job in store.jobs(study_uid=study_uid)
        if job.state is JobState.DELIVERED
    ][:1]
    ordered = sorted([*same, *own], key=lambda one: one.examination.taken_at)
    return Timeline(
        study_uid=study_uid,
        points=[_point(store, one) for one in ordered],
        left_out=len(others) - len(same),
    )


def _point(store: JobStore, one: EarlierResult) -> TimelinePoint:
    return TimelinePoint(
        study_uid=one.examination.study_uid,
        job_id=one.job_id,
        taken_at=one.examination.taken_at,
        **HeadlineOut.of(store.summary(one.job_id)).model_dump(),
    )
