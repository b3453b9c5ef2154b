"""What identifies one object of the results apart from its content."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ObjectPlan:
    """The station that an object is of, its series number, and the seed of its UIDs."""

    station: str
    series_number: int
    uid_seed: str
    definition: str = ""
    """Which of several objects of one kind it is: "focal" for the list of focal lesions."""

    @property
    def name(self) -> str:
        """What its UIDs derive from, and what its series is called."""
        return f"{self.definition} {self.station}".strip()
