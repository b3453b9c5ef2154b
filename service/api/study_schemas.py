"""What goes over the wire of lists of studies and of a patient's studies over time."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from jobs.job import JobState
from jobs.listing import DatedBy, Flag, ListedStudy, StudyQuery
from jobs.place import Sort
from jobs.prior import PriorState
from service.api.schemas import JobOut, StudyOut
from service.naming import Named

_FIRST, _LAST = 1900, 9000


def _in_reach(at: datetime) -> datetime:
    if not _FIRST <= at.year <= _LAST:
        raise ValueError(f"the year must be {_FIRST} to {_LAST}")
    return at


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("signs that cannot be printed")
    return text


Moment = Annotated[AwareDatetime, AfterValidator(_in_reach)]
Text = Annotated[str, AfterValidator(_printable)]
StateName = Literal["arriving", "queued", "running", "delivered", "rejected", "failed", "held"]


class PriorOut(BaseModel):
    """An earlier study of the patient that the archive holds."""

    study_uid: str
    taken_on: Annotated[str, Field(description="YYYYMMDD; empty where the archive does not say")]
    state: Annotated[PriorState, Field(description="how far it is on its way here")]
    code: Annotated[str | None, Field(description="why it is not here")]
    job_state: Annotated[JobState | None, Field(description="of its newest job")]


class Priors(BaseModel):
    """What the archive was asked for a study, and what of it came."""

    asked: Annotated[bool, Field(description="whether an archive was asked at all")]
    code: Annotated[str | None, Field(description="FOUND, or why the archive gave no answer")]
    left_out: Annotated[
        int, Field(description="studies under the same Patient ID that say to be another person's")
    ]
    only_prior: Annotated[
        bool, Field(description="whether this study is here because a later one wanted it")
    ]
    priors: list[PriorOut]


class StudyFilter(BaseModel):
    """Which studies are listed, and in which order; everything that is given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Annotated[list[StateName], Field(max_length=7, description="of the newest job")] = []
    since: Annotated[Moment | None, Field(description="this moment or later")] = None
    until: Annotated[Moment | None, Field(description="before this moment")] = None
    dated_by: Annotated[DatedBy, Field(description="which time is compared")] = DatedBy.ARRIVAL
    flag: Flag | None = None
    sort: Annotated[Sort, Field(description="greatest first")] = Sort.ARRIVAL
    limit: Annotated[int, Field(ge=1, le=500, description="most entries of one page")] = 50
    cursor: Annotated[
        str | None, Field(max_length=400, description="`next` of the page before")
    ] = None
    names: Annotated[
        bool, Field(description="show what names a study to people, as far as the caller may see")
    ] = False

    def query(self, text: str = "", *, by_label: bool = False) -> StudyQuery:
        """Return it as the store takes it."""
        return StudyQuery(
            text=text,
            by_label=by_label,
            states=frozenset(self.state),
            since=self.since,
            until=self.until,
            dated_by=self.dated_by,
            flag=self.flag,
            sort=self.sort,
            limit=self.limit,
            cursor=self.cursor,
        )


class StudySearch(StudyFilter):
    """The same with a text that is sought: in a body, because it may be a patient's name."""

    text: Annotated[
        Text,
        Field(
            max_length=200,
            description="words that all occur in name, Patient ID, accession number, scanner, "
            "Study Instance UID or id of the job",
        ),
    ] = ""


class NamedOut(BaseModel):
    """What names a study to people; empty where the images do not say or it is not shown."""

    patient_name: str
    patient_id: str
    accession_number: str
    study_date: str
    scanner: str
    masked: bool
    """Whether this caller is not shown names in full."""

    @classmethod
    def of(cls, named: Named) -> Self:
        """Copy the domain's value."""
        return cls(
            patient_name=named.patient_name,
            patient_id=named.patient_id,
            accession_number=named.accession_number,
            study_date=named.study_date,
            scanner=named.scanner,
            masked=named.masked,
        )


class HeadlineOut(BaseModel):
    """The numbers of a list; null where nothing was measured."""

    tdv_ml: float | None
    gadc_um2_s: float | None
    n_lesions: int | None
    coverage_status: str | None

    @classmethod
    def of(cls, summary: Any) -> Self:  # noqa: ANN401 - a document of `workers.summary`
        """Take them out of a summary."""
        found = summary or {}
        return cls(**{name: found.get(name) for name in cls.model_fields})


class ListedStudyOut(StudyOut):
    """A study of a list, with the job of its newest revision."""

    job: JobOut | None
    headline: HeadlineOut
    named: NamedOut | None
    """Only where it was asked for."""

    @classmethod
    def listed(cls, found: ListedStudy, named: Named | None) -> Self:
        """Copy the domain's values."""
        job = None if found.job is None else JobOut.of(found.job, found.study.revision)
        return cls(
            **StudyOut.of(found.study).model_dump(),
            job=job,
            headline=HeadlineOut.of(found.summary),
            named=None if named is None else NamedOut.of(named),
        )


class StudyPage(BaseModel):
    """Part of the list of studies."""

    items: list[ListedStudyOut]
    next: str | None
    """What `cursor` is for the next page; null at the end."""


class TimelinePoint(HeadlineOut):
    """One study of the patient, and the run whose numbers these are."""

    study_uid: str
    job_id: str
    taken_at: str
    """ISO 8601 as the images say it; empty where they do not."""


class Timeline(BaseModel):
    """The studies of the patient whom one study is of, the oldest first."""

    study_uid: str
    points: list[TimelinePoint]
    left_out: int
    """Studies under the same Patient ID that say another date of birth or sex."""
