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

    def conflicts_with(self, other: ExaminationRecord) -> bool:
        """Whether one ID stands for two persons: another date of birth, or another sex."""
        pairs = ((self.birth_key, other.birth_key), (self.sex_key, other.sex_key))
        return any(one and two and one != two for one, two in pairs)


@dataclass(frozen=True)
class EarlierResult:
    """An examination of the same patient key, and the job whose results were delivered last."""

    examination: ExaminationRecord
    job_id: str
