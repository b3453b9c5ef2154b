"""Whose and of when a study is, as far as the store may know: digests and a date, no names."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ExaminationRecord:
    """What finds a patient's studies again. Keys are keyed digests, hexadecimal, or empty."""

    study_uid: str
    patient_key: str = field(repr=False)
    birth_key: str = field(repr=False)
    sex_key: str = field(repr=False)
    taken_at: str
    """ISO 8601 as the images say it; empty where they do not."""


@dataclass(frozen=True)
class EarlierResult:
    """An examination of the same patient key, and the job whose results were delivered last."""

    examination: ExaminationRecord
    job_id: str
