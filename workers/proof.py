"""Whether a destination has what it took: by storage commitment, by a query, or not to be known.

"Success" of C-STORE is a promise of a process, not of a disk. Commitment is the promise of the
archive, its report may come minutes later; a query shows what the archive would show to others.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dicom_node.commitment import Reference, new_transaction_uid
from dicom_node.errors import PeerRefused, PeerUnavailable
from jobs.fault_points import fault
from jobs.result import DeliveryStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dicom_node.destination import Place
    from jobs.job import Job
    from jobs.result import Delivery
    from jobs.store import JobStore
    from workers.configuration import DeliveryRule, Destination

_LOG = logging.getLogger(__name__)
_LOOK_S = 0.1
_LINGER_S = 1.0


@dataclass(frozen=True)
class Proof:
    """Finds out, as far as that is due, and notes what it found."""

    store: JobStore
    job: Job
    destination: Destination
    place: Place
    rule: DeliveryRule

    def find_out(self) -> None:
        """Ask for what is due.

        Raises:
            LeaseLost: the job is no longer ours.

        """
        due = self.store.due_deliveries(self.job.id, self.destination.name)
        sent = [way for way in due if way.status is DeliveryStatus.SENT]
        if not sent:
            return
        match self.destination.proof:
            case "none":
                self._settle(sent, DeliveryStatus.SENT_ONLY)
            case "commitment":
                self._look(self._commit(sent))
            case _:
                self._look(sent)

    def _commit(self, sent: Sequence[Delivery]) -> list[Delivery]:
        """Ask for commitment of what was not asked for; return what has to be looked for."""
        asked = [way for way in sent if way.transaction_uid is not None]  # its time is over
        fresh = [way for way in sent if way.transaction_uid is None]
        if not fresh:
            return asked
        transaction_uid = new_transaction_uid()
        waits = (transaction_uid, self.rule.proof_patience_s)
        self.store.ask_commitment(self.job, self.destination.name, _uids(fresh), waits)
        fault("commitment.noted")
        try:
            report = self.place.commit(transaction_uid, self._references(fresh), _LINGER_S)
        except PeerRefused as error:
            self._log("commitment_refused", error)
            self.store.drop_commitment(self.job, transaction_uid)
            return [*asked, *fresh]
        except PeerUnavailable as error:
            self._log("commitment_unavailable", error)
            self.store.drop_commitment(self.job, transaction_uid)
            self._ask_later(fresh)
            return asked
        fault("commitment.asked")
        self.store.destination_answered(self.destination.name)
        if report is not None:
            found = report.transaction_uid, report.committed, report.failed
            self.store.commitment_reported(*found)
        else:
            self._wait(transaction_uid)
        return asked

    def _wait(self, transaction_uid: str) -> None:
        """Wait a moment for a report that the peer brings to our node."""
        until_s = time.monotonic() + self.rule.report_wait_s
        while time.monotonic() < until_s:
            ways = self.store.deliveries(self.job.id)
            if not any(
                way.transaction_uid == transaction_uid and way.status is DeliveryStatus.SENT
                for way in ways
            ):
                return
            time.sleep(_LOOK_S)

    def _look(self, ways: Sequence[Delivery]) -> None:
        """Ask whether the destination holds what it took."""
        if not ways:
            return
        try:
            held = self.place.held(self.job.study_uid, self._series(ways))
        except PeerRefused as error:
            self._log("query_refused", error)
            self._settle(ways, DeliveryStatus.SENT_ONLY)
            return
        except PeerUnavailable as error:
            self._log("query_unavailable", error)
            self._without_answer(ways)
            return
        self.store.destination_answered(self.destination.name)
        self._settle([w for w in ways if w.sop_instance_uid in held], DeliveryStatus.FOUND)
        missing = [way for way in ways if way.sop_instance_uid not in held]
        self._ask_later([way for way in missing if not self._is_over(way)])
        self._lose([way for way in missing if self._is_over(way)])

    def _without_answer(self, ways: Sequence[Delivery]) -> None:
        """Give up asking a peer that answers C-ECHO and, for so long, no query."""
        if all(self._is_over(way) for way in ways) and not self.place.trouble():
            self._settle(ways, DeliveryStatus.SENT_ONLY)
        else:
            self._ask_later(ways)

    def _lose(self, ways: Sequence[Delivery]) -> None:
        """Send again what is not there, a few times; then a person has to look."""
        if not ways:
            return
        told = {"event": "objects_not_stored", "code": "NOT_STORED"}
        text = "destination %s took %d objects and does not have them"
        _LOG.error(text, self.destination.name, len(ways), extra=told)
        often = [way for way in ways if way.lost >= self.rule.resends]
        again = [way for way in ways if way.lost < self.rule.resends]
        name = self.destination.name
        if often:
            self.store.give_up(self.job, name, "NOT_STORED", _uids(often))
        if again:
            self.store.mark_lost(self.job, name, _uids(again))

    def _ask_later(self, ways: Sequence[Delivery]) -> None:
        if not ways:
            return
        passed_s = max(_passed_s(way) for way in ways)
        pauses = [pause for pause in self.rule.back_off_s if pause >= passed_s]
        pause_s = min(pauses, default=self.rule.back_off_s[-1])
        told = (pause_s, "PROOF_AWAITED")
        self.store.put_off(self.job, self.destination.name, told, _uids(ways))

    def _settle(self, ways: Sequence[Delivery], outcome: DeliveryStatus) -> None:
        if ways:
            self.store.mark_proven(self.job, self.destination.name, _uids(ways), outcome)

    def _is_over(self, way: Delivery) -> bool:
        return way.transaction_uid is not None or _passed_s(way) >= self.rule.proof_patience_s

    def _references(self, ways: Sequence[Delivery]) -> list[Reference]:
        wanted = _uids(ways)
        return [
            Reference(file.sop_class_uid or "", file.sop_instance_uid)
            for file in self.store.results(self.job.id)
            if file.sop_instance_uid is not None and file.sop_instance_uid in wanted
        ]

    def _series(self, ways: Sequence[Delivery]) -> list[str]:
        wanted = _uids(ways)
        files = self.store.results(self.job.id)
        found = (f.series_uid for f in files if f.sop_instance_uid in wanted)
        return sorted({series_uid for series_uid in found if series_uid})

    def _log(self, event: str, error: PeerRefused | PeerUnavailable) -> None:
        told = {"event": event, "code": error.code}
        _LOG.warning("destination %s: %s", self.destination.name, error, extra=told)


def _uids(ways: Sequence[Delivery]) -> Collection[str]:
    return {way.sop_instance_uid for way in ways}


def _passed_s(way: Delivery) -> float:
    """Return for how many seconds the destination has had the object, as it says."""
    sent_at = way.sent_at or way.updated_at
    return max(0.0, (datetime.now(UTC) - sent_at).total_seconds())
