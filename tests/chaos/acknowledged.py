"""The sender's ledger: one line for every answer that it saw, written before anything else."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from dicom_node.part10 import parse_meta

SUCCESS = 0x0000
KEPT_THE_FIRST = 0xB000
"""Other bytes under a known UID: the node has them, beside the first."""


@dataclass(frozen=True)
class Answer:
    """What the node answered to one object, and the SHA-256 of the data set that was sent."""

    study_uid: str
    sop_instance_uid: str
    sha256: str
    status: int

    @property
    def promises(self) -> bool:
        """Whether the sender may now forget the object."""
        return self.status in (SUCCESS, KEPT_THE_FIRST)


class Acknowledgements:
    """Answers in a file, one JSON object a line; several senders may write to one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        path.touch()

    def add(self, answer: Answer) -> None:
        with self._lock, self.path.open("a") as file:
            file.write(json.dumps(asdict(answer)) + "\n")

    def __iter__(self) -> Iterator[Answer]:
        """The answers so far; one that is being written is left for later."""
        lines = self.path.read_text().splitlines(keepends=True)
        return (Answer(**json.loads(line)) for line in lines if line.endswith("\n"))

    def promised(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self if answer.promises)

    def statuses(self) -> list[int]:
        return [answer.status for answer in self]


def digest_of(part10: bytes) -> str:
    """SHA-256 of what goes over the wire: the bytes after the file meta information."""
    return hashlib.sha256(part10[parse_meta(part10).offset :]).hexdigest()
