"""Entries of the audit, as the database, logs and XML can hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.audit import AuditEntry

if TYPE_CHECKING:
    from service.access.caller import Caller

_LONGEST = 200


def entry_of(
    caller: Caller, address: str, event: str, outcome: str, detail: str = ""
) -> AuditEntry:
    """Return an entry of what a caller did; texts are cut to what the table holds."""
    actor = f"{caller.name} [{caller.key}]" if caller.via == "token" else caller.name
    texts = plain(actor, _LONGEST), plain(detail, _LONGEST)
    return AuditEntry(event, outcome, texts[0], str(caller.role), address, detail=texts[1])


def plain(text: str, longest: int) -> str:
    """Return a text that every database, log and XML document can hold, in one line."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)[:longest]
