"""What identifies one object of the results apart from its content."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ObjectPlan:
    """The station that an object is of, its series number, and the seed of its UIDs."""

    station: str
    series_number: int
    uid_seed: str
