"""Reports of storage commitment that a sender has not taken yet, as files of the spool.

    <spool>/owed/<hash>.json      written before the request is answered, removed when it is taken

So a report survives a restart. It is tried on the association of the request, and then on one of
ours to the sender's configured address, again and again for a day; then it is given up, in the log.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
import uuid
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from dicom_node.commitment_request import Asked, Decision
from dicom_node.durable import Folders, file_system_errors, write_file
from dicom_node.errors import InvalidUid, PeerError, SpoolFull
from dicom_node.report_call import send_report
from dicom_node.uid import Uid, parse_uid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from dicom_node.peer import Peer

_LOG = logging.getLogger(__name__)

BACK_OFF_S = (1.0, 10.0, 30.0, 120.0, 600.0)
"""Pause before each further try; the last one repeats."""
GIVE_UP_S = 86_400.0
MOST_OWED = 10_000
_LOOK_S = 0.5
_LEFT_OVER_S = 3600.0
_FOR_GOOD = frozenset((0x0112, 0x0113, 0x0115, 0x0118))
"""Statuses of a sender that no longer knows of the transaction (PS3.7 Annex C)."""

Send: TypeAlias = "Callable[[Peer, Decision], int]"


@dataclass(frozen=True)
class _Owed:
    """A report, to whom, and when it is tried next (monotonic; None: a try is under way)."""

    path: Path
    ae_title: str
    decision: Decision
    since: float  # POSIX time, for it outlives a process
    tries: int = 0
    due_s: float | None = None


class OwedReports:
    """`dicom_node.commitment_scp.Owing`, and the thread that calls senders."""

    def __init__(
        self,
        folder: Path,
        peers: Mapping[str, Peer],
        send: Send = send_report,
        back_off_s: tuple[float, ...] = BACK_OFF_S,
    ) -> None:
        """Keep them in `folder`; `peers` says by AE title where a sender takes reports."""
        self._folder = folder.absolute()
        self._folders = Folders(folder.absolute().parent)
        self._peers = peers
        self._send = send
        self._back_off_s = back_off_s
        self._owed: dict[Path, _Owed] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many are owed."""
        with self._lock:
            return len(self._owed)

    def owe(self, ae_title: str, decision: Decision) -> Callable[[int | None], None]:
        """Keep a report durably; return what is told what became of the first try.

        Raises `SpoolError`.
        """
        name = hashlib.sha256(f"{ae_title}\0{decision.transaction_uid}".encode()).hexdigest()[:32]
        owed = _Owed(self._folder / f"{name}.json", ae_title, decision, time.time())
        if len(self) >= MOST_OWED:
            raise SpoolFull(f"{MOST_OWED} reports of storage commitment are owed already")
        with file_system_errors():
            self._folders.ensure(self._folder)
            temporary = self._folder / f"{uuid.uuid4().hex}.part"
            write_file(temporary, owed.path, [json.dumps(_fields(owed)).encode()])
        with self._lock:
            self._owed[owed.path] = owed
        return partial(self._tried, owed)

    def run(self, stop: threading.Event) -> None:
        """Call senders until `stop` is set; begins with what an earlier process left."""
        self._take_up()
        while not stop.wait(_LOOK_S):
            away: set[str] = set()  # one that does not answer holds nobody else up
            for owed in self._due():
                if stop.is_set():
                    return
                if owed.ae_title in away:
                    continue
                try:
                    reached = self._try(owed)
                except OSError as error:  # the file system; the report stays owed
                    told = {"event": "owed_report_unwritable"}
                    _LOG.warning("an owed report: %s", error.strerror, extra=told)
                    reached = False
                if not reached:
                    away.add(owed.ae_title)

    def _take_up(self) -> None:
        if not self._folder.is_dir():
            return
        for left_over in self._folder.glob("*.part"):
            if _age_s(left_over) > _LEFT_OVER_S:  # a younger one another node may be writing
                left_over.unlink(missing_ok=True)
        for path in sorted(self._folder.glob("*.json")):
            owed = _read(path)
            if owed is None:
                told = {"event": "owed_report_unreadable"}
                _LOG.warning("an owed report cannot be read and is removed", extra=told)
                path.unlink(missing_ok=True)
                continue
            with self._lock:
                self._owed.setdefault(path, owed)

    def _due(self) -> list[_Owed]:
        now_s = time.monotonic()
        with self._lock:
            return [o for o in self._owed.values() if o.due_s is not None and o.due_s <= now_s]

    def _try(self, owed: _Owed) -> bool:
        """Call the sender; False if it does not answer."""
        peer = self._peers.get(owed.ae_title)
        if peer is None:
            self._give_up(owed, "no setting says where its sender takes reports")
            return True
        try:
            status: int | None = self._send(peer, owed.decision)
        except PeerError as error:
            told = {"event": "report_not_taken", "code": error.code}
            _LOG.info("a report of storage commitment waits: %s", error, extra=told)
            status = None
        self._tried(owed, status)
        return status is not None

    def _tried(self, owed: _Owed, status: int | None) -> None:
        """Know what became of a try: taken, not wanted any more, or to be tried again."""
        with self._lock:
            if self._owed.get(owed.path) is not owed:
                return  # the sender asked again meanwhile: a newer report stands in its place
        if status == 0:
            self._settle(owed)
        elif status in _FOR_GOOD:
            self._give_up(owed, f"its sender answered with status 0x{status:04X}")
        elif time.time() - owed.since > GIVE_UP_S:
            self._give_up(owed, "its sender did not take it for a day")
        else:
            pause_s = self._back_off_s[min(owed.tries, len(self._back_off_s) - 1)]
            again = replace(owed, tries=owed.tries + 1, due_s=time.monotonic() + pause_s)
            with self._lock:
                self._owed[owed.path] = again

    def _give_up(self, owed: _Owed, why: str) -> None:
        text = "a report of storage commitment is given up: %s"
        _LOG.warning(text, why, extra={"event": "report_given_up"})
        self._settle(owed)

    def _settle(self, owed: _Owed) -> None:
        with self._lock:
            self._owed.pop(owed.path, None)
        owed.path.unlink(missing_ok=True)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _fields(owed: _Owed) -> dict[str, object]:
    decision = owed.decision
    return {
        "ae_title": owed.ae_title,
        "since": owed.since,
        "transaction_uid": decision.transaction_uid,
        "kept": [[one.sop_class_uid, one.sop_instance_uid] for one in decision.kept],
        "failed": [[o.sop_class_uid, o.sop_instance_uid, why] for o, why in decision.failed],
    }


def _read(path: Path) -> _Owed | None:
    """Read a file of an earlier process, due at once; None: it is none of ours."""
    try:
        said = json.loads(path.read_bytes())
        decision = Decision(
            _uid(said["transaction_uid"]),
            tuple(Asked(_uid(one), _uid(two)) for one, two in said["kept"]),
            tuple((Asked(_uid(one), _uid(two)), int(why)) for one, two, why in said["failed"]),
        )
        since, title = float(said["since"]), str(said["ae_title"])
    except (OSError, ValueError, KeyError, TypeError, InvalidUid):
        return None
    return _Owed(path, title, decision, since, due_s=time.monotonic())


def _uid(text: str) -> Uid:
    return parse_uid(text, "UID")
