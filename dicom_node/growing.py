"""An instance too long to wait in memory: written as it comes, accepted when it is whole."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from dicom_node.durable import file_system_errors
from dicom_node.header import read_file_header

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dicom_node.durable import Draft
    from dicom_node.header import InstanceHeader
    from dicom_node.uid import Uid


class Source(Protocol):
    """The bytes of one instance, on their way to a final name."""

    @property
    def sha256(self) -> str:
        """Of its data set, in hex."""

    @property
    def size(self) -> int:
        """Bytes of its data set."""

    @property
    def unwritten(self) -> int:
        """How many of them are not on the file system yet."""

    def place(self, final: Path, *, once: bool = False) -> float:
        """Make it durable there, as `dicom_node.durable.Draft.place`."""


class Growing:
    """A file in the spool's incoming folder."""

    def __init__(self, draft: Draft, prefix: bytes, require_space: Callable[[int], None]) -> None:
        """Begin with `prefix`, what stands before the data set; raises `SpoolError`.

        `require_space` is asked before each chunk and may raise.
        """
        self._draft = draft
        self._prefix_bytes = len(prefix)
        self._require_space = require_space
        self._digest = hashlib.sha256()
        self.size = self.unwritten = 0
        with file_system_errors():
            draft.write(prefix)

    @property
    def sha256(self) -> str:
        """Of the data set so far, in hex."""
        return self._digest.hexdigest()

    def write(self, chunk: bytes | bytearray) -> None:
        """Write more of the data set; raises `SpoolError`."""
        with file_system_errors():
            self._require_space(len(chunk))
            self._draft.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)

    def header(self, transfer_syntax_uid: Uid) -> InstanceHeader:
        """Read which instance it is, from the file; raises as `read_header`, or `SpoolError`."""
        with file_system_errors(), self._draft.path.open("rb") as file:
            return read_file_header(file, self._prefix_bytes, transfer_syntax_uid)

    def place(self, final: Path, *, once: bool = False) -> float:
        """Make it durable under its final name."""
        return self._draft.place(final, once=once)

    def discard(self) -> None:
        """Leave nothing but the final file, if there is one."""
        self._draft.discard()
