"""The way out: C-ECHO and C-STORE to a peer, what it answered, and whether trying again helps.

Objects go out as the bytes that are stored. Only where a peer takes none but the other
uncompressed transfer syntax is an object re-encoded (dicom.md C2).
"""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydicom import dcmread
from pynetdicom import build_context, evt

from dicom_node.contexts import EXPLICIT_LE, IMPLICIT_LE, UNCOMPRESSED_LE, VERIFICATION
from dicom_node.errors import (
    DicomNodeError,
    PeerError,
    PeerRefused,
    PeerUnavailable,
    UnreadableHeader,
)
from dicom_node.network import (
    MAXIMUM_PDU,
    Timeouts,
    application_entity,
    check_ae_title,
    send_at_once,
)
from dicom_node.part10 import has_mark, read_meta

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pynetdicom.association import Association

    from dicom_node.part10 import FileMeta

MAXIMUM_CONTEXTS = 128  # of one association: odd identifiers of one byte (PS3.8 9.3.2.2)

CLASS_NOT_SUPPORTED = 0x0122
_TRANSIENT = frozenset((0x0110, 0x0213, *range(0xA700, 0xA800)))
_WARNINGS = frozenset((0x0001, 0x0107, 0x0116, *range(0xB000, 0xC000)))
_REJECTED_TRANSIENT = 2  # PS3.8 Table 9-21


@dataclass(frozen=True)
class Peer:
    """A DICOM application that we call."""

    ae_title: str
    host: str
    port: int
    calling_ae_title: str = "OSTEON"
    timeouts: Timeouts = field(default_factory=Timeouts)

    def __post_init__(self) -> None:
        """Refuse titles that cannot be sent; raises `InvalidAeTitle`."""
        check_ae_title(self.ae_title)
        check_ae_title(self.calling_ae_title)


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

    def contexts(self) -> tuple[tuple[str, str], ...]:
        """Return the (class, transfer syntax) pairs it may go out under, its own first."""
        sop_class, own = self.meta.sop_class_uid, self.meta.transfer_syntax_uid
        others = (s for s in UNCOMPRESSED_LE if s != own) if own in UNCOMPRESSED_LE else ()
        return (sop_class, own), *((sop_class, syntax) for syntax in others)

    def outcome(self, status: int | None) -> SendOutcome:
        """Return what this status of the peer means for the object."""
        return SendOutcome(
            path=self.path,
            sop_instance_uid=self.meta.sop_instance_uid,
            status=status,
            ok=status == 0 or status in _WARNINGS,
            retryable=status is None or status in _TRANSIENT,
        )


def _nothing(_path: Path, _status: int) -> None:
    return


def echo(peer: Peer) -> None:
    """Ask whether the peer answers us; raises `PeerUnavailable` or `PeerRefused`."""
    with _associated(
        peer, [(VERIFICATION, EXPLICIT_LE), (VERIFICATION, IMPLICIT_LE)]
    ) as association:
        answer = association.send_c_echo()
    if "Status" not in answer:
        raise PeerUnavailable(f"{_name(peer)} did not answer C-ECHO in time")
    if answer.Status != 0:
        raise PeerRefused(f"{_name(peer)} answered C-ECHO with status 0x{answer.Status:04X}")


def send(
    peer: Peer, paths: Sequence[Path], on_sent: Callable[[Path, int], None] = _nothing
) -> tuple[SendOutcome, ...]:
    """Send DICOM files in their order, one outcome each; `on_sent(path, status)` after each answer.

    After a transient failure the rest is not tried: it comes back as retryable. Raises
    `PeerUnavailable` or `PeerRefused` where not even the first association came about, and
    `UnreadableHeader` for a file that is not DICOM.
    """
    outcomes: list[SendOutcome] = []
    objects = [_object(path) for path in paths]
    for batch in _batches(objects):
        try:
            with _associated(peer, _contexts(batch)) as association:
                for item in batch:
                    outcome = item.outcome(_store(association, item))
                    outcomes.append(outcome)
                    if outcome.status is not None:
                        on_sent(item.path, outcome.status)
                    if outcome.retryable:
                        return _not_tried(outcomes, objects)
        except PeerError:
            if not outcomes:
                raise
            return _not_tried(outcomes, objects)
    return tuple(outcomes)


def send_folder(
    peer: Peer, folder: Path, on_sent: Callable[[Path, int], None] = _nothing
) -> tuple[SendOutcome, ...]:
    """Send every DICOM file under `folder`, in the order of names; other files are left out."""
    return send(peer, dicom_files(folder), on_sent)


def dicom_files(folder: Path) -> tuple[Path, ...]:
    """Return the DICOM files under `folder`, sorted."""
    return tuple(path for path in sorted(folder.rglob("*")) if path.is_file() and _is_dicom(path))


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return has_mark(file.read(132))


def _object(path: Path) -> _Object:
    try:
        return _Object(path, read_meta(path))
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
    as_stored = possible[0] == item.contexts()[0]
    answer = association.send_c_store(item.path if as_stored else dcmread(item.path))
    return int(answer.Status) if "Status" in answer else None


@contextmanager
def _associated(peer: Peer, pairs: Sequence[tuple[str, str]]) -> Iterator[Association]:
    """Open an association, release it at the end.

    One context for each pair, so that the choice of the transfer syntax is ours.
    """
    entity = application_entity(peer.calling_ae_title, peer.timeouts)
    association = entity.associate(
        _address(peer),
        peer.port,
        contexts=[build_context(sop_class, syntax) for sop_class, syntax in pairs],
        ae_title=peer.ae_title,
        max_pdu=MAXIMUM_PDU,
        evt_handlers=[(evt.EVT_CONN_OPEN, send_at_once)],
    )
    if not association.is_established:
        raise _failure(peer, association)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def _failure(peer: Peer, association: Association) -> PeerError:
    if association.rejected_contexts:
        return PeerRefused(f"{_name(peer)} takes none of the objects offered to it")
    if not association.is_rejected:
        return PeerUnavailable(f"{_name(peer)} does not answer; is it running, is the way open?")
    answer = association.acceptor.primitive
    if answer is not None and answer.result == _REJECTED_TRANSIENT:
        return PeerUnavailable(f"{_name(peer)} takes no association now")
    return PeerRefused(
        f"{_name(peer)} rejects us: check its AE title {peer.ae_title!r} "
        f"and that it knows ours, {peer.calling_ae_title!r}"
    )


def _address(peer: Peer) -> str:
    """Return an IP address: pynetdicom takes a name without a dot for an IPv6 address."""
    try:
        found = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        raise PeerUnavailable(f"the host name of {_name(peer)} is not known") from None
    # A name such as localhost often has both, and the peer listens on IPv4.
    best = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return str(best[4][0])


def _name(peer: Peer) -> str:
    return f"{peer.ae_title} at {peer.host}:{peer.port}"
