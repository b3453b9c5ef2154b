"""The audit as text: one JSON object, or one DICOM audit message, a line."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

from service.access.audit_message import audit_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobs.audit import AuditRow

Form = Literal["jsonl", "dicom"]


def audit_lines(rows: Iterable[AuditRow], form: Form, source: str) -> Iterator[str]:
    """Give one line, with its end, for each row; `source` names this installation."""
    for row in rows:
        yield (audit_message(row, source) if form == "dicom" else json_line(row)) + "\n"


def json_line(row: AuditRow) -> str:
    """Return a row with its place in the chain, so that a reader can prove it."""
    document = asdict(row) | {"at": None if row.at is None else row.at.isoformat()}
    return json.dumps(document, ensure_ascii=False, sort_keys=True)
