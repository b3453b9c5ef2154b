"""The deliver stage: kept results go to every destination, exactly the bytes that were kept.

A job that waits for a destination makes room for others (docs/decisions/0025): what is to be done
and when stands in the store, and the job is queued until then.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dicom_node.errors import PeerRefused, PeerUnavailable
from jobs.result import ON_ITS_WAY, DeliveryStatus
from workers.configuration import DeliveryRule
from workers.delivery_way import Way
from workers.places import place_of
from workers.proof import Proof
from workers.vitals import silence
from workers.witnessed import witnessed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dicom_node.destination import Place
    from jobs.job import Job
    from jobs.result import Delivery
    from jobs.store import JobStore
    from workers.configuration import Destination
    from workers.vitals import Tell

_LOG = logging.getLogger(__name__)
_SOON_S = 0.2


class DeliveryWaits(Exception):  # noqa: N818 - it names the condition
    """Not every destination has everything yet; the job goes on in `again_s` seconds."""

    def __init__(self, code: str, message: str, again_s: float) -> None:
        """Say why (`code` is stable) and for how long."""
        super().__init__(message)
        self.code = code
        self.again_s = again_s


@dataclass(frozen=True)
class Courier:
    """Brings one job's kept results to its destinations and notes what became of each object."""

    store: JobStore
    job: Job
    results_dir: Path
    rule: DeliveryRule = field(default_factory=DeliveryRule)
    tell: Tell = silence
    place: Callable[[Destination], Place] = place_of

    def deliver(
        self, destinations: Sequence[Destination], on_progress: Callable[[float], None]
    ) -> None:
        """Do what is due now, for one destination after the other.

        Raises:
            DeliveryWaits: something is still to be done, later.
            PeerRefused: a destination has refused an object for good, all else is done.
            LeaseLost: the job is no longer ours.

        """
        for number, destination in enumerate(destinations, start=1):
            self._serve(destination)
            on_progress(number / len(destinations))
        names = {destination.name for destination in destinations}
        ways = [way for way in self.store.deliveries(self.job.id) if way.destination in names]
        again_s = self.store.next_delivery_s(self.job.id, names)
        if again_s is not None:
            raise _waits(ways, max(again_s, _SOON_S))
        if refused := [way for way in ways if way.status is DeliveryStatus.REFUSED]:
            raise _refused(refused)

    def _serve(self, destination: Destination) -> None:
        """Do what is due for one destination; what it cannot do does not hold up the others."""
        name = destination.name
        self.store.expect_delivery(self.job, name, destination.kinds or None)
        due = self._due(name)
        if not due:
            return
        if pause_s := self.store.may_call(name):
            self.store.put_off(self.job, name, (pause_s, PeerUnavailable.code))
            return
        place = witnessed(
            self.place(destination), self.store, self.job, destination, self.results_dir
        )
        try:
            Way(self.store, self.job, name, place, self.results_dir, self.tell).send(due)
        except PeerUnavailable as error:
            self._away(name, error)
        except PeerRefused as error:
            self._log(name, error)
            self.store.give_up(self.job, name, error.code, self._queued(name))
        Proof(self.store, self.job, destination, place, self.rule).find_out()

    def _due(self, name: str) -> tuple[Delivery, ...]:
        """Return what is to be done now, after what has waited for too long was given up."""
        due = self.store.due_deliveries(self.job.id, name)
        since = datetime.now(UTC) - timedelta(seconds=self.rule.give_up_s)
        if all(way.queued_at is None or way.queued_at > since for way in due):
            return due
        self.store.give_up(self.job, name, "GIVEN_UP")
        return ()

    def _queued(self, name: str) -> set[str]:
        """Return what was due and is not sent; what was has its proof looked for all the same."""
        due = self.store.due_deliveries(self.job.id, name)
        return {way.sop_instance_uid for way in due if way.status is DeliveryStatus.QUEUED}

    def _away(self, name: str, error: PeerUnavailable) -> None:
        self._log(name, error)
        pause_s = self.store.destination_failed(name, error.code, self.rule.back_off_s)
        self.store.put_off(self.job, name, (pause_s, error.code), self._queued(name))

    def _log(self, name: str, error: PeerUnavailable | PeerRefused) -> None:
        told = {"event": "destination_failed", "code": error.code}
        _LOG.warning("destination %s: %s", name, error, extra=told)


def _waits(ways: Sequence[Delivery], again_s: float) -> DeliveryWaits:
    open_ways = [way for way in ways if way.status in ON_ITS_WAY]
    names = ", ".join(sorted({way.destination for way in open_ways}))
    if all(way.status is DeliveryStatus.SENT for way in open_ways):
        sentence = f"{names} took {len(open_ways)} objects and has not shown yet that it kept them"
        return DeliveryWaits("PROOF_AWAITED", sentence, again_s)
    codes = {way.code for way in open_ways if way.status is DeliveryStatus.QUEUED}
    code = "NOT_STORED" if codes == {"NOT_STORED"} else PeerUnavailable.code
    sentence = f"{len(open_ways)} objects are on their way to {names}; they are sent again"
    return DeliveryWaits(code, sentence, again_s)


def _refused(ways: Sequence[Delivery]) -> PeerRefused:
    names = ", ".join(sorted({way.destination for way in ways}))
    codes = ", ".join(sorted({way.code or "" for way in ways}))
    statuses = sorted({f"0x{way.last_status:04X}" for way in ways if way.last_status is not None})
    return PeerRefused(
        f"{names} did not take {len(ways)} objects ({codes}; status {', '.join(statuses) or 'none'}"
        "); look at that system's log, then retry the job"
    )
