"""Tables in Markdown, and statuses as DICOM writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; bars inside cells are escaped, empty ones stay empty."""
    lines = [_row(heads), _row(["---"] * len(heads)), *(_row(row) for row in rows)]
    return "\n".join(lines) + "\n"


def hexadecimal(status: int) -> str:
    """Return a status as DICOM writes it."""
    return f"{status:04X}H"


def ranges(holds: Callable[[int], bool]) -> str:
    """Return the statuses for which something holds, runs of them as one range."""
    found = [status for status in range(0x10000) if holds(status)]
    shown: list[str] = []
    while found:
        first = found[0]
        n = next((k for k, status in enumerate(found) if status != first + k), len(found))
        last = found[n - 1]
        ends = (first,) if n == 1 else (first, last)
        shown.append(" to ".join(hexadecimal(status) for status in ends))
        found = found[n:]
    return ", ".join(shown)


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
