"""Other nodes at the same spool: what they receive counts when a study is to be closed.

A study may come in halves through two nodes. Each tells the store what it receives and asks what
the others do; a study is settled when it is settled everywhere. Whoever finds it due first closes
it, and the second finds that a revision with these images is there.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from jobs.receptions import Reception

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicom_node.completion import StudyArrivals
    from jobs.store import JobStore

TELL_EVERY_S = 0.5
LEASE_S = 15.0
"""A node that was silent for so long is not taken to be busy any more."""


class Neighbours:
    """What this node tells and hears; used from one thread."""

    def __init__(self, store: JobStore) -> None:
        """Have a name of this process's own: after a restart it is another node."""
        self._store = store
        self._name = uuid.uuid4().hex
        self._told: frozenset[str] = frozenset()
        self._told_at_s = float("-inf")
        self._elsewhere: dict[str, Reception] = {}

    def join(self, own: Mapping[str, StudyArrivals], now_s: float) -> dict[str, StudyArrivals]:
        """Return the arrivals here and elsewhere together, for the studies that arrived here.

        Raises:
            StoreUnavailable: it cannot be known what arrives elsewhere.

        """
        if own.keys() != self._told or now_s - self._told_at_s >= TELL_EVERY_S:
            self._exchange(own, now_s)
        return {uid: self._joined(study) for uid, study in own.items()}

    def images(self, study_uid: str) -> int:
        """Return how many images of a study all nodes have indexed."""
        return self._store.study(study_uid).n_instances

    def leave(self) -> None:
        """Say that nothing is received here any more."""
        if self._told:
            self._store.tell_receptions(self._name, {}, LEASE_S)

    def _exchange(self, own: Mapping[str, StudyArrivals], now_s: float) -> None:
        told = {
            uid: Reception(
                now_s - study.first_at_s, now_s - study.last_at_s, study.busy, study.urgent
            )
            for uid, study in own.items()
        }
        self._store.tell_receptions(self._name, told, LEASE_S)
        self._told, self._told_at_s = frozenset(told), now_s
        self._elsewhere = self._store.receptions_elsewhere(self._name, told.keys())

    def _joined(self, study: StudyArrivals) -> StudyArrivals:
        other = self._elsewhere.get(study.study_uid)
        if other is None:
            return study
        return replace(
            study,
            first_at_s=min(study.first_at_s, self._told_at_s - other.first_ago_s),
            last_at_s=max(study.last_at_s, self._told_at_s - other.last_ago_s),
            busy=study.busy or other.busy,
            urgent=study.urgent or other.urgent,
        )
