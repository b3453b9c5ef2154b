"""A run's stages as progress bars on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from workers.recording import QuietRecorder

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from rich.progress import TaskID

    from jobs.job import Stage


def stage_bars() -> Progress:
    """Return bars that vanish from a pipe and live on a terminal."""
    return Progress(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description:<11}"),
        BarColumn(bar_width=28),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


class ConsoleRecorder(QuietRecorder):
    """Shows each stage as it runs; use as a context manager."""

    def __init__(self) -> None:
        """Show nothing yet."""
        super().__init__()
        self._bars = stage_bars()
        self._bar: TaskID | None = None

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the last picture where it is."""
        self._bars.stop()

    def entered(self, stage: Stage) -> None:
        """Draw a bar for the stage."""
        self._bar = self._bars.add_task(str(stage), total=1.0)

    def fraction(self, done: float) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bars.update(self._bar, completed=min(done, 0.99))

    def left(self, stage: Stage, seconds: float) -> None:
        """Fill the bar."""
        del stage, seconds
        if self._bar is not None:
            self._bars.update(self._bar, completed=1.0)
