"""Objects that came or went, for the audit: an entry an association and study, none an object.

How many objects of which class stand in the entry's detail, as "1200 of 1.2.840...4, 3 of ...", so
that people can read it and a DICOM audit message can be made of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.audit import DETAIL, AuditEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

SENDER, RECEIVER = "sender", "receiver"
_ONE = re.compile(r"(\d+) of ([0-9.]{1,64})")


@dataclass(frozen=True)
class Transfer:
    """What one association brought or took of one study."""

    peer: str
    """The AE title of the other side, or its address where it has none."""
    address: str
    """The IP address of the other side; a name where only that is known."""
    study_uid: str
    stored: Mapping[str, int]
    """SOP Class UIDs, and how many objects of each came over."""
    failed: Mapping[str, int]
    """The same, of objects that did not."""

    def received(self) -> tuple[AuditEntry, ...]:
        """Return the entries of a transfer from the peer to us."""
        return self._entries("instances_received", SENDER)

    def sent(self, job_id: str | None = None) -> tuple[AuditEntry, ...]:
        """Return the entries of a transfer from us to the peer."""
        return self._entries("instances_sent", RECEIVER, job_id)

    def begun(self, job_id: str | None = None) -> AuditEntry:
        """Return the entry of a transfer to the peer that begins; `stored` is what is to go."""
        texts = ("instances_sending", "success", self.peer, RECEIVER, self.address)
        return AuditEntry(*texts, self.study_uid, job_id, counted(self.stored))

    def _entries(self, event: str, role: str, job_id: str | None = None) -> tuple[AuditEntry, ...]:
        """One for what succeeded and one for what did not (PS3.15 A.5.2 asks for two)."""
        outcomes = (("success", self.stored), ("failed", self.failed))
        return tuple(
            AuditEntry(
                event,
                outcome,
                self.peer,
                role,
                self.address,
                self.study_uid,
                job_id,
                counted(counts),
            )
            for outcome, counts in outcomes
            if counts
        )


def asked(peer: str, address: str, sop_class_uid: str, job_id: str) -> AuditEntry:
    """Return the entry of a query (C-FIND) to an archive; its keys name a patient and are left out.

    `sop_class_uid` is the information model; the study that it was asked for is the job's.
    """
    texts = ("archive_query", "success", peer, RECEIVER, address)
    return AuditEntry(*texts, job_id=job_id, detail=counted({sop_class_uid: 1}))


def counted(counts: Mapping[str, int]) -> str:
    """Write counts of classes; only the sum where they would not fit an entry."""
    text = ", ".join(f"{n} of {uid}" for uid, n in sorted(counts.items()))
    if len(text) <= DETAIL:
        return text
    return f"{sum(counts.values())} objects of {len(counts)} classes"


def counts_in(detail: str) -> dict[str, int]:
    """Return what `counted` wrote; nothing where it wrote only the sum."""
    return {uid: int(n) for n, uid in _ONE.findall(detail)}
