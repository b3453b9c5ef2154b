"""What can be wrong with pictures.

ImagingError
├── GeometryError        a grid that cannot be one, or grids that should match and do not
├── UnusableImages       the images cannot be measured; the study is rejected with the reason
└── ModelMismatch        a model's declaration disagrees with its file or its input
"""

from __future__ import annotations


class ImagingError(Exception):
    """A picture or a model's declaration is not usable; `code` is stable and shown to people."""

    code = "IMAGING_ERROR"


class GeometryError(ImagingError):
    """A grid that cannot be one, or two grids that should match and do not."""

    code = "GEOMETRY"


class UnusableImages(ImagingError):  # noqa: N818 - it names the condition, as the field does
    """The images cannot be measured; the message says what was wrong, where, and what to do."""

    def __init__(self, message: str, code: str = "UNUSABLE_IMAGES") -> None:
        """Keep the sentence and the stable code."""
        super().__init__(message)
        self.code = code


class ModelMismatch(ImagingError):  # noqa: N818
    """A model's declaration disagrees with its file or its input."""

    code = "MODEL_MISMATCH"
