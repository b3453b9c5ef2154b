"""N-EVENT-REPORTs that we send on an association of the peer's, and what it answers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dicom_node.acceptor import commands
from dicom_node.acceptor.exchanges import Exchange
from dicom_node.acceptor.services import NormalizedResponse
from dicom_node.acceptor.violations import UNEXPECTED_PDU, Violation
from dicom_node.vitals import Ending

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicom_node.acceptor.commands import Command
    from dicom_node.acceptor.limits import Limits
    from dicom_node.acceptor.services import EventReport


class Reports:
    """Those that were sent and are not answered, of one association."""

    def __init__(self) -> None:
        """Have sent none."""
        self._sent = 0
        self._open: dict[int, EventReport] = {}  # by Message ID

    def add(self, report: EventReport) -> bytes:
        """Return the command set that sends a report."""
        self._sent = self._sent % 0xFFFF + 1
        self._open[self._sent] = report
        return commands.event_report(report, self._sent)

    def response(self, command: Command, limits: Limits) -> Exchange:
        """Take the peer's answer; raises `Violation` if it answers none of ours."""
        report = self._open.pop(command.message_id, None)
        if report is None:
            text = "a response comes that answers nothing"
            raise Violation(text, Ending.UNEXPECTED, UNEXPECTED_PDU)
        return _Answered(command, limits, report)

    def unanswered(self) -> list[Callable[[], None]]:
        """Return what tells that the association ended before the answers, once."""
        left, self._open = self._open, {}
        return [partial(report.answered, None) for report in left.values()]


class _Answered(Exchange):
    def __init__(self, command: Command, limits: Limits, report: EventReport) -> None:
        super().__init__(command, limits.data_set_bytes, None)
        self._report = report

    def work(self) -> Callable[[], NormalizedResponse]:
        return self._tell

    def _tell(self) -> NormalizedResponse:
        self._report.answered(self.command.status)
        return NormalizedResponse(self.command.status)
