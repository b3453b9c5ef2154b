"""Part of the store: what each of several nodes at one spool is receiving at the moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, or_, select

from jobs.engine import Records, reads, writes
from jobs.schema import receptions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from jobs.engine import Transaction

_FORGOTTEN = timedelta(days=1)


@dataclass(frozen=True)
class Reception:
    """How a study arrives at a node, in seconds before now: clocks of hosts are not compared."""

    first_ago_s: float
    last_ago_s: float
    busy: bool
    """An association that has sent to the study is open."""
    urgent: bool = False
    """A peer whose studies are urgent has sent to it."""


class NodeReceptions(Records):
    """Nodes tell here what they receive, so that none closes a study that another still gets."""

    @writes
    def tell_receptions(
        self, tx: Transaction, node: str, told: Mapping[str, Reception], lease_s: float
    ) -> None:
        """Replace what this node said by `told` (by Study Instance UID).

        A node that says nothing more for `lease_s` seconds is not taken to be busy any longer.
        """
        mine = receptions.c.node == node
        gone = and_(mine, receptions.c.study_uid.not_in(sorted(told)))
        old = receptions.c.until < tx.now - _FORGOTTEN
        tx.connection.execute(delete(receptions).where(or_(gone, old)))
        for study_uid in sorted(told):
            said = told[study_uid]
            row = {
                "first_at": tx.now - timedelta(seconds=said.first_ago_s),
                "last_at": tx.now - timedelta(seconds=said.last_ago_s),
                "busy": said.busy,
                "urgent": said.urgent,
                "until": tx.now + timedelta(seconds=lease_s),
            }
            key = {"study_uid": study_uid, "node": node}
            statement = tx.insert(receptions).values(key | row)
            statement = statement.on_conflict_do_update(index_elements=list(key), set_=row)
            tx.connection.execute(statement)

    @reads
    def receptions_elsewhere(
        self, tx: Transaction, node: str, study_uids: Collection[str]
    ) -> dict[str, Reception]:
        """Return how these studies arrive at all other nodes together; those of none are left out.

        Of a node that is gone it counts when its last image came, but not that it was busy.
        """
        others = and_(receptions.c.study_uid.in_(sorted(study_uids)), receptions.c.node != node)
        found: dict[str, Reception] = {}
        for row in tx.connection.execute(select(receptions).where(others)):
            here = Reception(
                (tx.now - row.first_at).total_seconds(),
                (tx.now - row.last_at).total_seconds(),
                row.busy and row.until >= tx.now,
                row.urgent,
            )
            found[row.study_uid] = join(here, found.get(row.study_uid))
        return found


def join(one: Reception, other: Reception | None) -> Reception:
    """Return one study's arrival at two places as one."""
    if other is None:
        return one
    return Reception(
        max(one.first_ago_s, other.first_ago_s),
        min(one.last_ago_s, other.last_ago_s),
        one.busy or other.busy,
        one.urgent or other.urgent,
    )
