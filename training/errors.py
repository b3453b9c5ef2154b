"""What can go wrong while a model is made."""

from __future__ import annotations


class TrainingError(Exception):
    """Training cannot go on; `code` is stable, the message says what to do."""

    def __init__(self, message: str, code: str = "TRAINING") -> None:
        """Keep the sentence and the stable code."""
        super().__init__(message)
        self.code = code
