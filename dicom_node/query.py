"""C-FIND: ask an archive which studies, series or images it holds (PS3.4 Annex C).

Study Root is asked; a peer that takes Patient Root only is asked that way, where the Patient ID
is known. The number of answers and the time are limited: a peer that goes on is told to stop
(C-CANCEL), then left. Nothing of a question or an answer is logged: both identify patients.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset

from dicom_node.answers import Answer
from dicom_node.contexts import EXPLICIT_LE, IMPLICIT_LE
from dicom_node.errors import PeerUnavailable, QueryRefused
from dicom_node.peer import associated
from dicom_node.uid import parse_uid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pynetdicom.association import Association

    from dicom_node.peer import Peer

STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
PATIENT_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.1.1"

_PENDING = frozenset((0xFF00, 0xFF01))  # PS3.4 Table C.4-1
_SUCCESS = 0x0000
_CANCELLED = 0xFE00
_OUT_OF_RESOURCES = range(0xA700, 0xA800)
_MESSAGE_ID = 1
_CANCEL_S = 10.0  # a peer that goes on for longer was not going to stop
_WILDCARDS = frozenset("*?\\")
_UTF_8 = "ISO_IR 192"


class Level(StrEnum):
    """What is asked for (0008,0052)."""

    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"


@dataclass(frozen=True)
class QueryLimits:
    """Where an answer ends that would not end by itself."""

    answers: int = 500
    seconds: float = 120.0
    """Of the whole query; each answer must also come within the peer's `answer_s`."""


@dataclass(frozen=True)
class Answers:
    """What a peer answered."""

    matches: tuple[Answer, ...]
    complete: bool
    """False: there were more than the limit, or the peer itself left some out."""

    def __iter__(self) -> Iterator[Answer]:
        """Go through the matches."""
        return iter(self.matches)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.matches)


def can_be_asked(value: str) -> bool:
    """Tell whether a value matches only itself: without wildcards and without a second value."""
    return bool(value.strip()) and not _WILDCARDS & set(value) and value.isprintable()


def find(
    peer: Peer,
    level: Level,
    keys: Mapping[str, str],
    attributes: Sequence[str],
    limits: QueryLimits | None = None,
) -> Answers:
    """Return what the peer holds that matches `keys`, with `attributes` of each match.

    Both name attributes by keyword. Values of UIDs are checked before they are sent. Below STUDY
    a Patient ID among the keys is used for Patient Root only, which asks for it.

    Raises:
        InvalidUid: a key that is a UID holds none.
        PeerUnavailable: nobody answers, not in time, or the peer is out of resources.
        PeerRefused: the peer rejects us or offers no query.
        QueryRefused: it answered with a failure.

    """
    checked = {keyword: _checked(keyword, value) for keyword, value in keys.items()}
    roots = (STUDY_ROOT_FIND, PATIENT_ROOT_FIND)
    pairs = [(root, syntax) for root in roots for syntax in (EXPLICIT_LE, IMPLICIT_LE)]
    with associated(peer, pairs) as association:
        root = accepted_root(association, roots, checked)
        question = identifier(level, checked, attributes, patient_root=root == PATIENT_ROOT_FIND)
        return _asked(association, root, question, limits or QueryLimits())


def accepted_root(association: Association, roots: Sequence[str], keys: Mapping[str, str]) -> str:
    """Return which of two information models is spoken: Study Root, then Patient Root.

    Raises:
        QueryRefused: only Patient Root is, and the keys have no Patient ID.

    """
    taken = {str(context.abstract_syntax) for context in association.accepted_contexts}
    study_root, patient_root = roots
    if study_root in taken:
        return study_root
    if patient_root in taken and keys.get("PatientID"):
        return patient_root
    raise QueryRefused(
        "the archive takes no Study Root query, and Patient Root needs a Patient ID that is not "
        "known here; let it offer Study Root"
    )


def identifier(
    level: Level, keys: Mapping[str, str], attributes: Sequence[str], *, patient_root: bool
) -> Dataset:
    """Return the data set that asks: keys with their values, attributes empty."""
    made = Dataset()
    made.QueryRetrieveLevel = str(level)
    if not all(value.isascii() for value in keys.values()):
        made.SpecificCharacterSet = _UTF_8
    for keyword in attributes:
        if dictionary_VR(tag_for_keyword(keyword) or 0) == "SQ":
            setattr(made, keyword, [])
        else:
            setattr(made, keyword, "")
    for keyword, value in keys.items():
        if keyword != "PatientID" or patient_root or level is Level.STUDY:
            setattr(made, keyword, value)
    return made


def _checked(keyword: str, value: str) -> str:
    tag = tag_for_keyword(keyword)
    return parse_uid(value, keyword) if tag and dictionary_VR(tag) == "UI" else value


def _asked(association: Association, root: str, question: Dataset, limits: QueryLimits) -> Answers:
    until_s = time.monotonic() + limits.seconds
    matches: list[Answer] = []
    cancelled = False
    for status, found in association.send_c_find(question, root, msg_id=_MESSAGE_ID):
        code = _status(status)
        if code not in _PENDING:
            return Answers(tuple(matches), _ended_well(code) and not cancelled)
        if found is None:
            association.abort()
            raise QueryRefused("the archive sent an answer that cannot be read")
        if not cancelled and len(matches) >= limits.answers:
            association.send_c_cancel(_MESSAGE_ID, query_model=root)
            cancelled, until_s = True, min(until_s, time.monotonic() + _CANCEL_S)
        elif not cancelled:
            matches.append(Answer(found))
        if time.monotonic() > until_s:
            association.abort()
            return _late(matches, cancelled=cancelled)
    raise PeerUnavailable("the archive ended its answer without a status")


def _late(matches: Sequence[Answer], *, cancelled: bool) -> Answers:
    """Return what came before the time was up, if it was enough already."""
    if not cancelled:
        raise PeerUnavailable("the archive did not come to the end of its answers in time")
    return Answers(tuple(matches), complete=False)


def _status(status: Dataset) -> int:
    if "Status" not in status:
        raise PeerUnavailable("the archive did not answer a query in time")
    return int(status.Status)


def _ended_well(code: int) -> bool:
    if code in (_SUCCESS, _CANCELLED):
        return code == _SUCCESS
    if code in _OUT_OF_RESOURCES:
        raise PeerUnavailable(f"the archive is out of resources for a query (0x{code:04X})")
    raise QueryRefused(f"the archive answered a query with the failure 0x{code:04X}")
