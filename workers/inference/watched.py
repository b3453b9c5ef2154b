"""A model whose answers are timed: for metrics and traces."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workers.vitals import ModelAsked, SlabAsked

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from imaging.model import ModelInput, ModelSpec
    from workers.inference.model import SegmentationModel
    from workers.vitals import RunVital, Tell


@dataclass(frozen=True)
class Timed:
    """A context that tells how long its block took, and the code of what it raised."""

    tell: Tell
    vital: Callable[[float, str], RunVital]
    """Makes the vital from seconds and code."""
    began_s: float = field(default_factory=time.monotonic)

    def __enter__(self) -> None:
        """Begin; time counts from when this was made."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell, and let an error pass."""
        code = "" if kind is None else str(getattr(error, "code", kind.__name__))
        self.tell(self.vital(time.monotonic() - self.began_s, code))


@dataclass(frozen=True)
class WatchedModel:
    """A `SegmentationModel` that is another one, timed."""

    model: SegmentationModel
    backend: str
    tell: Tell

    @property
    def spec(self) -> ModelSpec:
        """See `SegmentationModel`."""
        return self.model.spec

    def predict(
        self, model_input: ModelInput, on_progress: Callable[[float], None]
    ) -> NDArray[np.float16]:
        """See `SegmentationModel.predict`."""
        with Timed(self.tell, self._asked):
            return self.model.predict(model_input, on_progress)

    def _asked(self, seconds: float, code: str) -> ModelAsked:
        return ModelAsked(self.spec.name, self.spec.version, self.backend, seconds, code)


@dataclass(frozen=True)
class Request:
    """One request to a model server, from when it is made."""

    model: str
    span_id: str
    tell: Tell
    began_at_s: float = field(default_factory=time.time)
    began_s: float = field(default_factory=time.monotonic)

    def timed(self) -> Timed:
        """Return a context to wait for the answer in."""
        return Timed(self.tell, self._asked, self.began_s)

    def _asked(self, seconds: float, code: str) -> SlabAsked:
        return SlabAsked(self.model, self.span_id, self.began_at_s, seconds, code)
