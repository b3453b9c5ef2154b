"""Named moments between two steps that belong together, where a test may end the process.

What is written must survive a death at any of them (reliability.md D-2). Nothing that ships arms a
point: no setting and no variable of the environment does, only `tests/chaos/armed`, and
`tests/chaos/test_points.py` holds the code to that. Unarmed, a point is a walk over an empty list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_ARMED: list[Callable[[str], None]] = []


def fault(name: str) -> None:
    """Pass the point `name`, "place.moment"; it is passed at each of its times, by every thread."""
    for reached in _ARMED:
        reached(name)


def arm(reached: Callable[[str], None]) -> None:
    """Have `reached` called with the name of each point that this process comes to."""
    _ARMED.append(reached)


def disarm() -> None:
    """Have nobody called any more."""
    _ARMED.clear()
