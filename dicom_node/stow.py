"""A destination that takes results by STOW-RS and is asked by QIDO-RS (PS3.18 sections 10.5, 10.6).

An object a request, so that each is answered and written down before the next, as by C-STORE. What
the answer says of the object counts, not the status alone: 200 and 202 carry failures too.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dicom_node.destination import in_order
from dicom_node.errors import PeerError, PeerRefused, PeerUnavailable, QueryRefused
from dicom_node.part10 import read_meta
from dicom_node.send import SendOutcome, may_be_repeated, nothing_more
from dicom_node.uid import parse_uid
from dicom_node.web_calls import call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from dicom_node.commitment import CommitmentReport, Reference
    from dicom_node.destination import Deliverable
    from dicom_node.web_calls import WebAnswer
    from dicom_node.web_peer import WebPeer

_JSON = "application/dicom+json"
_PIECE = 256 * 1024
_FAILED, _STORED = "00081198", "00081199"
_INSTANCE, _REASON = "00081155", "00081197"
_SOP_INSTANCE_UID = "00080018"
_OK = frozenset((200, 202))
_CONFLICT = 409
_NOT_NOW = frozenset((408, 425, 429, 500, 502, 503, 504, 507))
_NOT_US = frozenset((401, 403, 404, 405))
_PROCESSING_FAILURE = 0x0110


@dataclass(frozen=True)
class StowDestination:
    """A DICOMweb service that takes results."""

    name: str
    peer: WebPeer

    def deliver(
        self,
        objects: Sequence[Deliverable],
        on_tried: Callable[[SendOutcome], None] = nothing_more,
    ) -> tuple[SendOutcome, ...]:
        """Send the objects in the order that viewers need; outcomes in that order.

        After a transient failure the rest is not tried. Raises `PeerUnavailable` or `PeerRefused`
        where not even the first was answered.
        """
        outcomes: list[SendOutcome] = []
        paths = [item.path for item in in_order(objects)]
        for path in paths:
            try:
                outcome = self._store(path)
            except PeerUnavailable:
                if not outcomes:
                    raise
                outcome = _outcome(path, None)
            outcomes.append(outcome)
            on_tried(outcome)
            if outcome.retryable:
                break
        return *outcomes, *(_outcome(path, None) for path in paths[len(outcomes) :])

    def commit(
        self, _transaction_uid: str, _references: Sequence[Reference], _linger_s: float
    ) -> CommitmentReport | None:
        """Refuse: there is no storage commitment here."""
        raise PeerRefused("a DICOMweb service is not asked for storage commitment")

    def held(self, study_uid: str, series_uids: Iterable[str]) -> frozenset[str]:
        """Ask for the instances of each series.

        Raises:
            PeerUnavailable: nobody answers, or not now.
            QueryRefused: it does not answer such questions to us.

        """
        found: set[str] = set()
        for series_uid in series_uids:
            study, series = parse_uid(study_uid, "Study"), parse_uid(series_uid, "Series")
            resource = f"/studies/{study}/series/{series}/instances?limit=10000"
            answer = call(self.peer, "GET", resource, {"Accept": _JSON})
            found |= _instances(answer, self.peer.name)
        return frozenset(found)

    def trouble(self) -> str:
        """Ask for a study; say what went wrong, also where it does not know us."""
        try:
            answer = call(self.peer, "GET", "/studies?limit=1", {"Accept": _JSON})
        except PeerError as error:
            return str(error)
        if answer.status in _NOT_US or 300 <= answer.status < 400:
            return f"{self.peer.name} does not know us (HTTP {answer.status})"
        return ""

    def _store(self, path: Path) -> SendOutcome:
        boundary = uuid.uuid4().hex
        head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        size = len(head) + path.stat().st_size + len(tail)
        kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
        headers = {"Content-Type": kind, "Content-Length": str(size), "Accept": _JSON}
        answer = call(self.peer, "POST", "/studies", headers, _pieces(head, path, tail))
        return self._meaning(path, answer)

    def _meaning(self, path: Path, answer: WebAnswer) -> SendOutcome:
        """Return what an answer means for the object: its own line, else the status."""
        if answer.status in _NOT_US or 300 <= answer.status < 400:
            text = f"{self.peer.name} does not let us store (HTTP {answer.status})"
            raise PeerRefused(f"{text}: look at its address and our token")
        if answer.status in _NOT_NOW:
            return _outcome(path, answer.status, retryable=True)
        if answer.status in _OK or answer.status == _CONFLICT:
            reason = _failure(answer, read_meta(path).sop_instance_uid)
            if reason is not None:
                return _outcome(path, reason, retryable=may_be_repeated(reason))
            if answer.status in _OK:
                return _outcome(path, answer.status, ok=True)
        return _outcome(path, answer.status)


def _outcome(
    path: Path, status: int | None, *, ok: bool = False, retryable: bool | None = None
) -> SendOutcome:
    uid = read_meta(path).sop_instance_uid
    again = status is None if retryable is None else retryable
    return SendOutcome(path, uid, status, ok=ok, retryable=again)


def _pieces(head: bytes, path: Path, tail: bytes) -> Iterator[bytes]:
    yield head
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
    yield tail


def _failure(answer: WebAnswer, sop_instance_uid: str) -> int | None:
    """Return why the object was not stored (0008,1197); None: nothing says that it was not."""
    for row in _rows(answer.body):
        for item in _items(row, _FAILED):
            if _value(item, _INSTANCE) in (sop_instance_uid, None):
                reason = _value(item, _REASON)
                return reason if isinstance(reason, int) else _PROCESSING_FAILURE
    return None


def _instances(answer: WebAnswer, name: str) -> set[str]:
    if answer.status in (204, 404):
        return set()
    if answer.status in _NOT_NOW:
        raise PeerUnavailable(f"{name} answers no query now (HTTP {answer.status})")
    if answer.status != 200:
        raise QueryRefused(f"{name} answers no query of ours (HTTP {answer.status})")
    found = (_value(row, _SOP_INSTANCE_UID) for row in _rows(answer.body))
    return {uid for uid in found if isinstance(uid, str)}


def _rows(body: bytes) -> list[dict[str, Any]]:
    """Return the data sets of an answer in the DICOM JSON model; none where it has another form."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return []
    rows = told if isinstance(told, list) else [told]
    return [row for row in rows if isinstance(row, dict)]


def _items(row: dict[str, Any], tag: str) -> list[dict[str, Any]]:
    element = row.get(tag)
    value = element.get("Value") if isinstance(element, dict) else None
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _value(row: dict[str, Any], tag: str) -> object:
    element = row.get(tag)
    value = element.get("Value") if isinstance(element, dict) else None
    return value[0] if isinstance(value, list) and value else None
