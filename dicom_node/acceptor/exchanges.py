"""One message of a peer, from its command to its answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from dicom_node.acceptor import commands
from dicom_node.acceptor.services import (
    Announced,
    NormalizedRequest,
    NormalizedResponse,
    Operation,
)
from dicom_node.acceptor.violations import Violation, malformed
from dicom_node.contexts import VERIFICATION
from dicom_node.errors import InvalidUid
from dicom_node.uid import parse_uid
from dicom_node.vitals import Ending

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dicom_node.acceptor.commands import Command
    from dicom_node.acceptor.house import Answer
    from dicom_node.acceptor.limits import Limits
    from dicom_node.acceptor.negotiation import Context
    from dicom_node.acceptor.services import Caller, Incoming, StorageSession

# PS3.7 Annex C.
SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
INVALID_INSTANCE = 0x0117
CLASS_NOT_SUPPORTED = 0x0122
UNRECOGNIZED_OPERATION = 0x0211


class Exchange:
    """A message whose data set nobody wants. It is answered with `status`, or not if that is None.

    Also what the others do where nothing else is said.
    """

    stores = False
    """Whether `work` belongs to the threads that store."""

    def __init__(self, command: Command, limit_bytes: int, status: int | None) -> None:
        """Take a data set of at most `limit_bytes`."""
        self.command = command
        self.status = status
        self._limit_bytes = limit_bytes
        self._bytes = 0

    def take(self, fragment: memoryview) -> None:
        """Take the next bytes of the data set; raises `Violation` if there are too many."""
        self._bytes += len(fragment)
        if self._bytes > self._limit_bytes:
            raise Violation("a data set is longer than any that is taken here", Ending.LENGTH, 0)
        self.keep(fragment)

    def keep(self, fragment: memoryview) -> None:
        """Copy bytes of the data set."""

    def overflow(self) -> Callable[[], None] | None:
        """Return what a thread has to do before more is read."""
        return None

    def work(self) -> Callable[[], NormalizedResponse] | None:
        """Return what a thread has to do once the message is whole; None: answer at once."""
        return None

    def drop(self) -> Callable[[], None] | None:
        """Return what a thread has to do if the message never becomes whole."""
        return None


class StoreExchange(Exchange):
    """C-STORE. What is longer than a chunk goes to the storage as it comes."""

    stores = True

    def __init__(self, command: Command, limits: Limits, incoming: Incoming) -> None:
        """Hand the data set to `incoming`."""
        super().__init__(command, limits.object_bytes, PROCESSING_FAILURE)
        self._chunk_bytes = limits.chunk_bytes
        self._incoming = incoming
        self._gathered = bytearray()

    def keep(self, fragment: memoryview) -> None:
        """Gather."""
        self._gathered += fragment

    def overflow(self) -> Callable[[], None] | None:
        """Write a chunk once there is one."""
        if len(self._gathered) < self._chunk_bytes:
            return None
        chunk, self._gathered = self._gathered, bytearray()
        return partial(self._incoming.write, chunk)

    def work(self) -> Callable[[], NormalizedResponse]:
        """Make it durable."""
        return self._finish

    def drop(self) -> Callable[[], None]:
        """Leave nothing of it."""
        return self._incoming.discard

    def _finish(self) -> NormalizedResponse:
        return NormalizedResponse(self._incoming.finish(self._gathered))


class NormalizedExchange(Exchange):
    """N-ACTION or N-EVENT-REPORT."""

    def __init__(
        self, command: Command, limits: Limits, answer: Callable[[bytes], NormalizedResponse]
    ) -> None:
        """Gather the data set for `answer`."""
        super().__init__(command, limits.data_set_bytes, PROCESSING_FAILURE)
        self._answer = answer
        self._gathered = bytearray()

    def keep(self, fragment: memoryview) -> None:
        """Gather."""
        self._gathered += fragment

    def work(self) -> Callable[[], NormalizedResponse]:
        """Ask the service."""
        return partial(self._answer, bytes(self._gathered))


@dataclass
class Exchanges:
    """Begins the exchanges of one association."""

    limits: Limits
    caller: Caller
    session: StorageSession
    storage_classes: frozenset[str]
    answers: Mapping[tuple[str, Operation], Answer]

    def begin(self, context: Context, command: Command) -> Exchange:
        """Return what becomes of a request; raises `Violation` for a command that is none."""
        field = command.field
        if field == commands.C_CANCEL:
            return self._plain(command, None)
        if field not in commands.REQUESTS:
            raise malformed("a command set has a command field that no request has")
        if field == commands.C_ECHO and context.abstract_syntax == VERIFICATION:
            return self._plain(command, SUCCESS)
        if field == commands.C_STORE and context.abstract_syntax in self.storage_classes:
            return self._store(context, command)
        if field in tuple(Operation):
            return self._normalized(context, command)
        return self._plain(command, UNRECOGNIZED_OPERATION)

    def _plain(self, command: Command, status: int | None) -> Exchange:
        return Exchange(command, self.limits.data_set_bytes, status)

    def _store(self, context: Context, command: Command) -> Exchange:
        if not command.has_data_set:
            raise malformed("a C-STORE-RQ comes without a data set")
        announced = Announced(
            command.sop_class_uid,
            command.sop_instance_uid,
            context.abstract_syntax,
            context.transfer_syntax,
        )
        return StoreExchange(command, self.limits, self.session.begin(announced))

    def _normalized(self, context: Context, command: Command) -> Exchange:
        answer = self.answers.get((context.abstract_syntax, Operation(command.field)))
        if answer is None:
            return self._plain(command, UNRECOGNIZED_OPERATION)
        try:
            sop_class = parse_uid(command.sop_class_uid, "SOPClassUID")
            sop_instance = parse_uid(command.sop_instance_uid, "SOPInstanceUID")
        except InvalidUid:
            return self._plain(command, INVALID_INSTANCE)
        if sop_class != context.abstract_syntax:
            return self._plain(command, CLASS_NOT_SUPPORTED)
        request = partial(
            NormalizedRequest,
            Operation(command.field),
            sop_class,
            sop_instance,
            command.type_id,
            transfer_syntax_uid=context.transfer_syntax,
        )
        return NormalizedExchange(
            command, self.limits, lambda data_set: answer(self.caller, request(data_set=data_set))
        )
