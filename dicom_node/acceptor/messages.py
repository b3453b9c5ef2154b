"""Fragments put together into messages, one at a time (PS3.7 section 6.3.1, PS3.8 Annex E)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dicom_node.acceptor.commands import MAXIMUM_BYTES, read_command
from dicom_node.acceptor.framing import COMMAND, LAST, values
from dicom_node.acceptor.violations import malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from dicom_node.acceptor.commands import Command


class Sink(Protocol):
    """Takes the data set of a message."""

    def take(self, fragment: memoryview) -> None:
        """Copy the next bytes; raises `Violation` if there are too many."""


@dataclass
class _Message:
    context_id: int
    command: bytearray
    sink: Sink | None = None  # once the command is whole


class Assembly:
    """The message that is on its way."""

    def __init__(self, contexts: Container[int], begin: Callable[[int, Command], Sink]) -> None:
        """Call `begin(context ID, command)` for each whole command; what it returns gets the data.

        `contexts` are the presentation contexts that were accepted.
        """
        self._contexts = contexts
        self._begin = begin
        self._message: _Message | None = None

    @property
    def under_way(self) -> bool:
        """Whether a message has begun and is not whole."""
        return self._message is not None

    def add(self, body: memoryview) -> bool:
        """Take a P-DATA-TF; return True if it ends a message.

        Raises `Violation` for fragments that do not make a message, and for a PDU in which another
        message begins: a peer has to wait for the answer, we grant no asynchronous operations.
        """
        whole = False
        for context_id, control, fragment in values(body):
            if whole:
                raise malformed("a message begins before the one before it is answered")
            whole = self._fragment(context_id, control, fragment)
        if whole:
            self._message = None
        return whole

    def _fragment(self, context_id: int, control: int, fragment: memoryview) -> bool:
        message = self._message
        if message is None:
            if context_id not in self._contexts:
                raise malformed("a fragment is for a presentation context that was not accepted")
            message = self._message = _Message(context_id, bytearray())
        if context_id != message.context_id:
            raise malformed("a fragment is for another presentation context than its message")
        if bool(control & COMMAND) is not (message.sink is None):
            raise malformed("a fragment of a data set comes where one of a command must, or back")
        if message.sink is not None:
            message.sink.take(fragment)
            return bool(control & LAST)
        return self._of_command(message, fragment, last=bool(control & LAST))

    def _of_command(self, message: _Message, fragment: memoryview, *, last: bool) -> bool:
        message.command += fragment
        if len(message.command) > MAXIMUM_BYTES:
            raise malformed(f"a command set is longer than {MAXIMUM_BYTES} bytes")
        if not last:
            return False
        command = read_command(message.command)
        message.sink = self._begin(message.context_id, command)
        return not command.has_data_set
