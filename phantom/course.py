"""How a synthetic patient's disease goes between visits."""

from __future__ import annotations

from enum import StrEnum


class Course(StrEnum):
    """What becomes of the disease from the first visit to the last."""

    STABLE = "stable"
    RESPONDING = "responding"
    PROGRESSING = "progressing"
    MIXED = "mixed"
