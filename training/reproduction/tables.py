"""Which tables can be reproduced, and at which size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from training.errors import TrainingError
from training.focal.reproduce import reproduce_focal
from training.reproduction.anatomy import reproduce_anatomy

if TYPE_CHECKING:
    from collections.abc import Callable

TABLES = {"anatomy": reproduce_anatomy, "focal": reproduce_focal}
PRESETS = ("small", "full")
_EXPERIMENTS = Path(__file__).parents[1] / "experiments"


def reproduce_table(
    table: str,
    size: str | Path,
    out: Path,
    workers: int,
    on_progress: Callable[[str, float], None],
) -> str:
    """Make a table by its name, at a preset's size or by a YAML of one's own.

    Raises:
        TrainingError: `REPRODUCTION`, there is no such table or preset.

    """
    if table not in TABLES:
        message = f"there is no table {table!r}; there is {', '.join(TABLES)}"
        raise TrainingError(message, code="REPRODUCTION")
    if isinstance(size, Path):
        return TABLES[table](size, out, workers, on_progress)
    if size not in PRESETS:
        message = f"the preset must be {' or '.join(PRESETS)}, not {size!r}"
        raise TrainingError(message, code="REPRODUCTION")
    config = _EXPERIMENTS / f"reproduce_{table}_{size}.yaml"
    return TABLES[table](config, out, workers, on_progress)
