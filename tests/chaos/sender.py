"""A sender that writes down every answer: pynetdicom's SCU over a real socket."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pynetdicom import AE, build_context, evt

from dicom_node.network import send_at_once
from dicom_node.part10 import read_meta
from tests.chaos.acknowledged import Acknowledgements, Answer, digest_of
from tests.chaos.small_studies import MR

_SYNTAX = "1.2.840.10008.1.2.1"
_NO_ANSWER_S = 30.0


@dataclass(frozen=True)
class Sender:
    """Sends files of one class to a node, and notes what it answers."""

    acknowledged: Acknowledgements
    port: int
    calling_ae_title: str = "SCANNER"
    called_ae_title: str = "OSTEON"

    def send(self, paths: Iterable[Path], study_uid: str) -> list[Path]:
        """Send over one association until it breaks; return what was not taken."""
        left = list(paths)
        association = self._associate()
        try:
            while left and association.is_established:
                answer = association.send_c_store(left[0])
                if "Status" not in answer:
                    break
                self._note(left[0], study_uid, int(answer.Status))
                if not Answer("", "", "", int(answer.Status)).promises:
                    break
                left.pop(0)
        finally:
            if association.is_established:
                association.release()
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
        association = self._associate()
        if not association.is_established:
            return None
        try:
            answer = association.send_c_store(path)
        finally:
            if association.is_established:
                association.release()
        if "Status" not in answer:
            return None
        self._note(path, study_uid, int(answer.Status))
        return int(answer.Status)

    def _associate(self):
        entity = AE(self.calling_ae_title)
        entity.acse_timeout = entity.network_timeout = entity.connection_timeout = 10.0
        entity.dimse_timeout = _NO_ANSWER_S
        contexts = [build_context(MR, _SYNTAX)]
        told = {
            "ae_title": self.called_ae_title,
            "evt_handlers": [(evt.EVT_CONN_OPEN, send_at_once)],
        }
        return entity.associate("127.0.0.1", self.port, contexts=contexts, **told)

    def _note(self, path: Path, study_uid: str, status: int) -> None:
        content = path.read_bytes()
        uid = str(read_meta(path).sop_instance_uid)
        self.acknowledged.add(Answer(study_uid, uid, digest_of(content), status))
