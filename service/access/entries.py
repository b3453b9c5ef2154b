"""Entries of the audit, as the database, logs and XML can hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.audit import ACTOR, DETAIL, AuditEntry, plain

if TYPE_CHECKING:
    from service.access.caller import Caller


def entry_of(
    caller: Caller, address: str, event: str, outcome: str, detail: str = ""
) -> AuditEntry:
    """Return an entry of what a caller did; texts are cut to what the table holds."""
    actor = f"{caller.name} [{caller.key}]" if caller.via == "token" else caller.name
    texts = plain(actor, ACTOR), plain(detail, DETAIL)
    return AuditEntry(event, outcome, texts[0], str(caller.role), address, detail=texts[1])
