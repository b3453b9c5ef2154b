"""What is wrong now, as far as this process can tell: the alerts of Prometheus by their names.

Names, sentences and limits are those of `deploy/monitoring/alerts.yml`, but for how long something
has to last there before anybody is told. What needs counts over time (refused images, peers that
were turned away, a rate of failures) only Prometheus knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.job import JobState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jobs.forwarding import Behind
    from jobs.overview import Overview
    from jobs.presence import Worker

DISK_LOW_BYTES = 20 * 2**30
LONG_S = 1800.0
RECENT_S = 3 * 86400.0


@dataclass(frozen=True)
class Alert:
    """Something that a person should see to; `docs/operations.md` says how, under its name."""

    name: str
    sentence: str


_OF_CHECKS = {
    "dicom_node": Alert("OsteonNodeDeaf", "Nothing listens on the DICOM port."),
    "store": Alert(
        "OsteonDatabaseAway",
        "The database does not answer: images are still received, nothing else goes on.",
    ),
    "broker": Alert(
        "OsteonBrokerAway",
        "Redis does not answer: workers find studies only when one of them looks.",
    ),
    "model": Alert(
        "OsteonModelNotReady", "A model of the repository is missing or not what it declares."
    ),
    "model_server": Alert(
        "OsteonModelServerAway",
        "The model server cannot be reached: studies wait and spend no attempt.",
    ),
}


def of_checks(ready: Mapping[str, bool]) -> Iterator[Alert]:
    """Yield an alert for each part that the service needs and that is not there."""
    yield from (alert for name, alert in _OF_CHECKS.items() if not ready.get(name, True))


def of_disks(free_bytes: Mapping[str, int], floor_bytes: int) -> Iterator[Alert]:
    """Yield what is wrong with the volumes, by name; `floor_bytes` is the spool's."""
    if free_bytes.get("spool", floor_bytes + 1) <= floor_bytes:
        yield Alert("OsteonSpoolFull", "The spool has no space left: images are refused.")
    for volume, free in free_bytes.items():
        if free < DISK_LOW_BYTES:
            yield Alert("OsteonDiskLow", f"The volume of {volume} is nearly full.")


def of_work(
    counts: Mapping[JobState, int], seen: Overview, workers: Sequence[Worker]
) -> Iterator[Alert]:
    """Yield what the record of work says."""
    if not any(worker.there for worker in workers):
        sentence = "No worker answers: studies are received and not measured."
        yield Alert("OsteonWorkerGone", sentence)
    if seen.n_due > 0 and not counts[JobState.RUNNING]:
        yield Alert("OsteonNobodyWorks", "Studies wait and no worker takes one.")
    if seen.due_for_s > LONG_S:
        sentence = "A study has waited for a worker for more than half an hour."
        yield Alert("OsteonQueueOld", sentence)
    if seen.leases_run_out:
        sentence = "A job's worker is silent and no other took the job."
        yield Alert("OsteonLeaseRanOut", sentence)
    if counts[JobState.HELD]:
        sentence = f"{_studies(counts[JobState.HELD], 'wait')} for a person's decision."
        yield Alert("OsteonJobHeld", sentence)
    failed = sum(n for (state, _), n in seen.codes.items() if state is JobState.FAILED)
    if failed and seen.failed_last_s is not None and seen.failed_last_s < RECENT_S:
        sentence = f"{_studies(failed, 'failed')} for good, the last one within three days."
        yield Alert("OsteonDeadLetter", sentence)
    for row in seen.pending:
        if row.oldest_s > LONG_S:
            sentence = f"Results have waited for {row.destination} for more than half an hour."
            yield Alert("OsteonDestinationAway", sentence)


def of_audit(behind: Behind) -> Iterator[Alert]:
    """Yield what the record of accesses says."""
    if behind.oldest_s > LONG_S:
        sentence = "The syslog server has taken nothing of the audit for more than half an hour."
        yield Alert("OsteonAuditBehind", sentence)


def _studies(n: int, verb: str) -> str:
    one = verb if verb.endswith("d") else f"{verb}s"
    return f"1 study {one}" if n == 1 else f"{n} studies {verb}"
