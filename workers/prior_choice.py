"""Which studies of an archive are this patient's earlier ones; decided from its answers alone."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicom_node.archive import HeldStudy
    from dicom_objects.reading.patient import Patient

_MODALITY = "MR"
_SEXES = frozenset({"F", "M"})
_BETWEEN_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class PriorRules:
    """Which earlier studies are worth fetching."""

    newest: int = 3
    within_days: int = 1825
    description: str = ""
    """A regular expression for the Study Description, upper and lower case alike; empty: any."""


@dataclass(frozen=True)
class Choice:
    """What of an archive's answers is made use of."""

    wanted: tuple[HeldStudy, ...] = field(default=(), repr=False)
    """The newest first."""
    left_out: int = 0
    """Studies under the same Patient ID that say to be of another person."""
    agreed: int = 0
    """Studies under it that say to be of this one, of whatever date and kind."""

    @property
    def conflict(self) -> bool:
        """Whether the ID stands for another person as far as the archive knows."""
        return bool(self.left_out) and not self.agreed


def choose(held: Iterable[HeldStudy], patient: Patient, rules: PriorRules) -> Choice:
    """Choose the earlier studies of the patient whose study is due."""
    others = [study for study in held if study.study_uid != patient.study_uid]
    same_id = [study for study in others if not _other_issuer(study, patient)]
    same = [study for study in same_id if not is_someone_else(study, patient)]
    earlier = sorted(
        (study for study in same if _is_earlier(study, patient, rules)),
        key=lambda study: (study.date, study.time, study.study_uid),
        reverse=True,
    )
    return Choice(tuple(earlier[: rules.newest]), len(same_id) - len(same), len(same))


def is_someone_else(study: HeldStudy, patient: Patient) -> bool:
    """Whether an archive's study says to be of another person than the one who has its ID here.

    Another date of birth, the other sex, or a name that shares no word with ours: a family name
    may change, and a name may be written with accents, in other letters or in another order.
    """
    born = _both(study.birth_date, patient.birth_date)
    sexes = _both(study.sex, patient.sex)
    names = words_of(study.name), words_of(patient.name)
    return (
        (born is not None and born[0] != born[1])
        or (sexes is not None and set(sexes) == _SEXES)
        or (all(names) and not names[0] & names[1])
    )


def words_of(name: str) -> frozenset[str]:
    """Return the words of a name, without accents and case."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return frozenset(word for word in _BETWEEN_WORDS.split(letters) if word)


def _both(one: str, other: str) -> tuple[str, str] | None:
    return (one, other) if one and other else None


def _other_issuer(study: HeldStudy, patient: Patient) -> bool:
    """Whether the same characters are an ID of another institution."""
    issuers = _both(study.issuer, patient.issuer)
    return issuers is not None and issuers[0] != issuers[1]


def _is_earlier(study: HeldStudy, patient: Patient, rules: PriorRules) -> bool:
    now, then = _day(patient.study_date), _day(study.date)
    if now is None or then is None or then > now or now - then > timedelta(rules.within_days):
        return False
    if then == now and not study.time < patient.study_time:
        return False
    if study.modalities and _MODALITY not in study.modalities:
        return False
    return re.search(rules.description, study.description, re.IGNORECASE) is not None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("YYYYMMDD") else None
    except ValueError:
        return None
