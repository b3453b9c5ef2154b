"""The way out: C-STORE to a peer, what it answered, and whether trying again helps.

Objects go out as the bytes that are stored. Only where a peer takes none but the other
uncompressed transfer syntax is an object re-encoded (dicom.md C2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom import dcmread

from dicom_node.contexts import UNCOMPRESSED_LE
from dicom_node.errors import DicomNodeError, PeerError, UnreadableHeader
from dicom_node.part10 import has_mark, read_meta
from dicom_node.peer import Peer, associated, echo
from jobs.fault_points import fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pynetdicom.association import Association

    from dicom_node.part10 import FileMeta

__all__ = ["Peer", "SendOutcome", "dicom_files", "echo", "nothing_more", "send", "send_folder"]

MAXIMUM_CONTEXTS = 128  # of one association: odd identifiers of one byte (PS3.8 9.3.2.2)

CLASS_NOT_SUPPORTED = 0x0122
_TRANSIENT = frozenset((0x0110, 0x0213, *range(0xA700, 0xA800)))
_WARNINGS = frozenset((0x0001, 0x0107, 0x0116, *range(0xB000, 0xC000)))
_DUPLICATE = 0x0111  # it has the object, and under one UID we only ever send the same bytes


@dataclass(frozen=True)
class SendOutcome:
    """What became of one object."""

    path: Path
    sop_instance_uid: str
    status: int | None
    """The peer's DIMSE status; None where it gave none or the object was not tried."""
    ok: bool
    """The peer has it (success or a warning)."""
    retryable: bool
    """Not there, but may be later: the peer is full, busy or went away."""


@dataclass(frozen=True)
class _Object:
    path: Path
    meta: FileMeta
    offered: Sequence[str]

    def contexts(self) -> tuple[tuple[str, str], ...]:
        """Return the (class, transfer syntax) pairs it may go out under, its own first."""
        sop_class, own = self.meta.sop_class_uid, self.meta.transfer_syntax_uid
        if own not in UNCOMPRESSED_LE:
            return ((sop_class, own),)
        syntaxes = sorted(self.offered, key=lambda syntax: syntax != own)
        return tuple((sop_class, syntax) for syntax in syntaxes)

    def outcome(self, status: int | None) -> SendOutcome:
        """Return what this status of the peer means for the object."""
        return SendOutcome(
            path=self.path,
            sop_instance_uid=self.meta.sop_instance_uid,
            status=status,
            ok=status is not None and was_taken(status),
            retryable=status is None or may_be_repeated(status),
        )


def was_taken(status: int) -> bool:
    """Tell whether a DIMSE status means that the object is there: success or a warning."""
    return status in (0, _DUPLICATE) or status in _WARNINGS


def may_be_repeated(status: int) -> bool:
    """Tell whether a DIMSE status means that the same object may be taken later."""
    return status in _TRANSIENT


def nothing_more(_outcome: SendOutcome) -> None:
    """Go on: what `send` does after each try where nothing else is asked."""


def send(
    peer: Peer,
    paths: Sequence[Path],
    on_tried: Callable[[SendOutcome], None] = nothing_more,
    offered: Sequence[str] = UNCOMPRESSED_LE,
) -> tuple[SendOutcome, ...]:
    """Send DICOM files in their order, one outcome each; `on_tried(outcome)` after each try.

    `offered` are the transfer syntaxes that an uncompressed object may go out under; its own is
    preferred, and only in another one is it encoded anew.
    After a transient failure the rest is not tried: it comes back as retryable. Raises
    `PeerUnavailable` or `PeerRefused` where not even the first association came about, and
    `UnreadableHeader` for a file that is not DICOM.
    """
    outcomes: list[SendOutcome] = []
    objects = [_object(path, offered) for path in paths]
    for batch in _batches(objects):
        try:
            with associated(peer, _contexts(batch)) as association:
                for item in batch:
                    fault("send.next")
                    outcome = item.outcome(_store(association, item))
                    fault("send.answered")
                    outcomes.append(outcome)
                    on_tried(outcome)
                    if outcome.retryable:
                        return _not_tried(outcomes, objects)
        except PeerError:
            if not outcomes:
                raise
            return _not_tried(outcomes, objects)
    return tuple(outcomes)


def send_folder(
    peer: Peer, folder: Path, on_tried: Callable[[SendOutcome], None] = nothing_more
) -> tuple[SendOutcome, ...]:
    """Send every DICOM file under `folder`, in the order of names; other files are left out."""
    return send(peer, dicom_files(folder), on_tried)


def dicom_files(folder: Path) -> tuple[Path, ...]:
    """Return the DICOM files under `folder`, sorted."""
    return tuple(path for path in sorted(folder.rglob("*")) if path.is_file() and _is_dicom(path))


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return has_mark(file.read(132))


def _object(path: Path, offered: Sequence[str]) -> _Object:
    try:
        return _Object(path, read_meta(path), offered)
    except DicomNodeError as error:
        raise UnreadableHeader(f"{path.name} cannot be sent: {error}") from None


def _not_tried(
    outcomes: Sequence[SendOutcome], objects: Sequence[_Object]
) -> tuple[SendOutcome, ...]:
    return *outcomes, *(item.outcome(None) for item in objects[len(outcomes) :])


def _batches(objects: Sequence[_Object]) -> Iterator[list[_Object]]:
    """Cut where the contexts that are needed would no longer fit one association."""
    batch: list[_Object] = []
    for item in objects:
        if len(_contexts([*batch, item])) > MAXIMUM_CONTEXTS:
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def _contexts(objects: Sequence[_Object]) -> list[tuple[str, str]]:
    return list(dict.fromkeys(pair for item in objects for pair in item.contexts()))


def _store(association: Association, item: _Object) -> int | None:
    """Send one object; None where no answer came."""
    accepted = {
        (str(context.abstract_syntax), str(context.transfer_syntax[0]))
        for context in association.accepted_contexts
    }
    possible = [pair for pair in item.contexts() if pair in accepted]
    if not association.is_established:
        return None
    if not possible:
        return CLASS_NOT_SUPPORTED
    as_stored = possible[0][1] == item.meta.transfer_syntax_uid
    answer = association.send_c_store(item.path if as_stored else dcmread(item.path))
    return int(answer.Status) if "Status" in answer else None
