"""Errors that nobody expected: their kind and place are logged, never their text."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_log = logging.getLogger(__name__)


class DefectsAreLogged:
    """Log the kind and the place of an error in the block and let it pass.

    Whoever waits for the block is answered with a failure (0x0110); values are never logged.
    """

    def __enter__(self) -> None:
        """Watch."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Log and let it pass."""
        if kind is not None:
            frame = traceback.extract_tb(trace)[-1]
            text = "bug in the receiver: %s at %s:%s"
            told = {"event": "defect", "code": "INTERNAL"}
            _log.error(text, kind.__name__, frame.name, frame.lineno, extra=told)
