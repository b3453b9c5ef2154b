"""Array axes by the letters of where they point, and the way to and from "SPL"."""

from __future__ import annotations

from dataclasses import dataclass

from training.errors import TrainingError

_OURS = {"S": 0, "I": 0, "P": 1, "A": 1, "L": 2, "R": 2}
_OPPOSITE = "IAR"

Values = tuple[float, float, float]


@dataclass(frozen=True)
class Axes:
    """Three letters, such as "RAS": array axis 0 runs to the patient's right, and so on."""

    letters: str

    def __post_init__(self) -> None:
        """Refuse what are no three different directions.

        Raises:
            TrainingError: `IMPORT`.

        """
        if len(self.letters) != 3 or {_OURS.get(c) for c in self.letters} != {0, 1, 2}:
            message = f"axes must be three directions such as RAS, LPS or SPL, not {self.letters!r}"
            raise TrainingError(message, code="IMPORT")

    @property
    def order(self) -> tuple[int, int, int]:
        """Our axis (0 slices, 1 rows, 2 columns) for each of theirs."""
        a, b, c = (_OURS[letter] for letter in self.letters)
        return (a, b, c)

    @property
    def flipped(self) -> tuple[int, ...]:
        """Their axes that run against ours."""
        return tuple(n for n, letter in enumerate(self.letters) if letter in _OPPOSITE)

    def to_ours(self, values: Values) -> Values:
        """Sort a value for each of their axes into (slice, row, column)."""
        sorted_values = dict(zip(self.order, values, strict=True))
        return (sorted_values[0], sorted_values[1], sorted_values[2])
