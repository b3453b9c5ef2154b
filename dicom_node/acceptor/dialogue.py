"""The messages of one association: each is put together, given to its exchange and answered."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from dicom_node.acceptor import commands
from dicom_node.acceptor.exchanges import PROCESSING_FAILURE, Exchanges
from dicom_node.acceptor.framing import COMMAND, data_pdus
from dicom_node.acceptor.messages import Assembly
from dicom_node.acceptor.reports import Reports
from dicom_node.acceptor.services import NormalizedResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicom_node.acceptor.commands import Command
    from dicom_node.acceptor.exchanges import Exchange
    from dicom_node.acceptor.house import House
    from dicom_node.acceptor.negotiation import Agreement
    from dicom_node.acceptor.services import StorageSession

Errand: TypeAlias = "tuple[bool, Callable[[], object], Callable[..., None]]"
"""Whether it stores, what a thread has to do, what then to call with its result."""


class Dialogue:
    """One message at a time."""

    def __init__(
        self,
        house: House,
        agreement: Agreement,
        session: StorageSession,
        send: Callable[[bytes], None],
    ) -> None:
        """Begin; `send` takes PDUs."""
        self._limits = house.limits
        self._agreement = agreement
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._until = 0.0
        self._context_id = 0  # of the last message; answers and reports go there
        self._exchange: Exchange | None = None
        self._reports = Reports()
        self._assembly = Assembly(agreement.contexts, self._begin)
        self._exchanges = Exchanges(
            house.limits, agreement.caller, session, house.negotiator.storage_classes, house.answers
        )

    @property
    def under_way(self) -> bool:
        """Whether a message has begun and is not whole."""
        return self._assembly.under_way

    @property
    def seconds_left(self) -> float | None:
        """How long the message that is under way may still take."""
        return self._until - self._loop.time() if self.under_way else None

    def take(self, body: memoryview) -> Errand | None:
        """Take a P-DATA-TF; return what a thread has to do before the next. Raises `Violation`."""
        if not self.under_way:
            self._until = self._loop.time() + self._limits.message_s
        whole = self._assembly.add(body)
        exchange = self._exchange
        if exchange is None:
            return None
        if not whole:
            work = exchange.overflow()
            return None if work is None else (exchange.stores, work, _nothing)
        return self._whole(exchange)

    def failed(self, then: Callable[..., None]) -> None:
        """Go on after an errand that ended with a bug of ours."""
        then(NormalizedResponse(PROCESSING_FAILURE))

    def drop(self) -> Callable[[], None] | None:
        """Return what a thread has to do as the message under way never becomes whole."""
        exchange, self._exchange = self._exchange, None
        return None if exchange is None else exchange.drop()

    def unanswered(self) -> list[Callable[[], None]]:
        """Return what tells that the peer has not answered our reports."""
        return self._reports.unanswered()

    def _begin(self, context_id: int, command: Command) -> Exchange:
        self._context_id = context_id
        if command.field == commands.N_EVENT_REPORT | commands.RESPONSE:
            exchange = self._reports.response(command, self._limits)
        else:
            context = self._agreement.contexts[context_id]
            exchange = self._exchanges.begin(context, command)
        self._exchange = exchange
        return exchange

    def _whole(self, exchange: Exchange) -> Errand | None:
        self._exchange = None
        work = exchange.work()
        if work is not None:
            return exchange.stores, work, partial(self._answer, exchange)
        if exchange.status is not None:
            self._answer(exchange, NormalizedResponse(exchange.status))
        return None

    def _answer(self, exchange: Exchange, response: NormalizedResponse) -> None:
        if exchange.status is None:
            return
        data_set, report = response.data_set, response.report
        with_data_set = bool(data_set)
        told = commands.response(exchange.command, response.status, with_data_set=with_data_set)
        self._say(told, data_set)
        if report is not None:
            self._say(self._reports.add(report), report.data_set)

    def _say(self, command: bytes, data_set: bytes) -> None:
        limit = self._agreement.peer_pdu_bytes
        encoded = data_pdus(self._context_id, command, COMMAND, limit)
        self._send(encoded + data_pdus(self._context_id, data_set, 0, limit))


def _nothing(_result: object) -> None:
    """Go on reading."""
