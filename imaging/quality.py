"""What a person should know before trusting a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning"]


@dataclass(frozen=True)
class QualityNote:
    """One remark: `code` is stable, `text` one sentence for people, `measured` the number if any.

    Never holds anything that identifies a patient.
    """

    code: str
    severity: Severity
    text: str
    measured: float | None = None
