"""A sender that writes down every answer before it sends the next object, over a real socket."""

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dicom_node.part10 import parse_meta
from tests.chaos.acknowledged import Acknowledgements, Answer, digest_of
from tests.dicom_node.acceptor import wire

_NO_ANSWER_S = 30.0
_CONTEXT_ID = 1
_CONTEXT = wire.context(_CONTEXT_ID, wire.MR, wire.EXPLICIT)
_P_DATA, _ACCEPTED = 4, 2


@dataclass(frozen=True)
class Sender:
    """Sends MR images to a node, and notes what it answers."""

    acknowledged: Acknowledgements
    port: int
    calling_ae_title: str = "SCANNER"

    def send(self, paths: Iterable[Path], study_uid: str) -> list[Path]:
        """Send over one association until it breaks; return what was not taken."""
        left = list(paths)
        with self._associated() as peer:
            while left and peer is not None:
                status = self._store(peer, left[0], study_uid)
                if status is None or not Answer("", "", "", status).promises:
                    break
                left.pop(0)
        return left

    def send_all(self, paths: Sequence[Path], study_uid: str, limit_s: float = 120.0) -> None:
        """Send until everything was taken, as a sender's queue does."""
        left = list(paths)
        deadline = time.monotonic() + limit_s
        while left := self.send(left, study_uid):
            if time.monotonic() > deadline:
                message = f"{len(left)} of {len(paths)} images were not taken in {limit_s:g} s"
                raise AssertionError(message)
            time.sleep(0.1)

    def offer(self, path: Path, study_uid: str) -> int | None:
        """Send one object, whatever the answer is; None where there was none."""
        with self._associated() as peer:
            return None if peer is None else self._store(peer, path, study_uid)

    @contextlib.contextmanager
    def _associated(self) -> Iterator[wire.Peer | None]:
        """An association; None where it did not come about."""
        try:
            peer = wire.Peer(self.port, _NO_ANSWER_S)
        except OSError:
            yield None
            return
        with peer:
            yield peer if self._is_let_in(peer) else None
            with contextlib.suppress(OSError):
                peer.release()

    def _is_let_in(self, peer: wire.Peer) -> bool:
        with contextlib.suppress(OSError):
            peer.send(wire.request(_CONTEXT, calling=self.calling_ae_title.encode()))
            answer = peer.read()
            return answer is not None and answer[0] == _ACCEPTED
        return False

    def _store(self, peer: wire.Peer, path: Path, study_uid: str) -> int | None:
        content = path.read_bytes()
        meta = parse_meta(content)
        uid = str(meta.sop_instance_uid)
        command, encoded = wire.store(uid.encode()), content[meta.offset :]
        try:
            peer.send(*wire.fragments(_CONTEXT_ID, command, 1))
            peer.send(*wire.fragments(_CONTEXT_ID, encoded))
            answer = peer.read()
        except OSError:
            return None
        if answer is None or answer[0] != _P_DATA:
            return None
        status = int(wire.status_of(answer[1]))
        self.acknowledged.add(Answer(study_uid, uid, digest_of(content), status))
        return status
