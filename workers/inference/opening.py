"""Open a model of the repository: in this process or on the model server, in the right version."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workers.inference.serving import read_serving
from workers.vitals import Telling

if TYPE_CHECKING:
    from pathlib import Path

    from workers.inference.endpoint import Endpoint
    from workers.inference.model import SegmentationModel
    from workers.inference.watched import WatchedModel


@dataclass(frozen=True)
class ModelOpener:
    """Opens the models of one run; each backend is imported only where it runs."""

    server: Endpoint | None = None
    """None: models run in this process."""
    threads: int | None = None
    study_uid: str | None = None
    """Decides whether a version on trial measures this study; none does if not given."""
    telling: Telling = field(default_factory=Telling)
    """Whom to tell of answers and requests."""

    def open(self, folder: Path, version: int | None = None) -> SegmentationModel:
        """Return the model in `folder`, proven to be what it declares.

        `version` is its numbered folder; the one that measures the study if not given.

        Raises:
            ModelMismatch: declaration, file and server disagree.
            ModelUnavailable: the server is away.

        """
        version = version or self._version(folder)
        if self.server is None:
            from workers.inference.torchscript import TorchScriptModel  # noqa: PLC0415

            return TorchScriptModel(folder, self.threads, version)
        from workers.inference.triton import TritonModel  # noqa: PLC0415

        return TritonModel(folder, self.server, version, self.telling)

    def watched(self, folder: Path) -> WatchedModel:
        """Do what `open` does; the model's answers are told."""
        from workers.inference.watched import WatchedModel  # noqa: PLC0415

        backend = "embedded" if self.server is None else "triton"
        return WatchedModel(self.open(folder), backend, self.telling.tell)

    def _version(self, folder: Path) -> int:
        serving = read_serving(folder)
        return serving.version_for(self.study_uid) if self.study_uid else serving.version
