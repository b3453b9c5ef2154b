"""Which version of a model serves: `serving.json` beside `config.pbtxt`, the same for all backends.

One version serves; another may be tried on a share of the studies (a canary). Triton loads every
version that `config.pbtxt` names, the worker asks for one by its number, so that promotion and
roll-back are one small file and need no restart.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from imaging.errors import ModelMismatch

if TYPE_CHECKING:
    from pathlib import Path

CHOICE = "serving.json"


@dataclass(frozen=True)
class Canary:
    """A version on trial: it gets `percent` of the studies, in (0, 100]."""

    version: int
    percent: float


@dataclass(frozen=True)
class Serving:
    """What serves, what served before, and what is on trial."""

    version: int = 1
    previous: int | None = None
    canary: Canary | None = None

    def version_for(self, study_uid: str) -> int:
        """Return the version that measures a study: always the same one, late images included."""
        if self.canary is None:
            return self.version
        digest = hashlib.sha256(study_uid.encode()).digest()
        place = 100 * int.from_bytes(digest[:8]) / 2**64
        return self.canary.version if place < self.canary.percent else self.version

    def promoted(self, version: int) -> Serving:
        """Return the choice after `version` took over; a trial ends."""
        previous = self.previous if version == self.version else self.version
        return Serving(version, previous)

    def tried(self, version: int, percent: float) -> Serving:
        """Return the choice with `version` on trial for a share of the studies."""
        return Serving(self.version, self.previous, Canary(version, percent))

    def rolled_back(self) -> Serving:
        """Return the choice without the trial; without one, that before the last promotion.

        Raises:
            ModelMismatch: there is nothing to go back to.

        """
        if self.canary is not None:
            return Serving(self.version, self.previous)
        if self.previous is None:
            message = f"version {self.version} has always served: there is nothing to go back to"
            raise ModelMismatch(message)
        return Serving(self.previous, self.version)


def read_serving(folder: Path) -> Serving:
    """Return the choice for the model in `folder`; version 1 where nobody chose.

    Raises:
        ModelMismatch: the file is not a choice.

    """
    path = folder / CHOICE
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Serving()
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read; write it anew by osteon models promote"
        raise ModelMismatch(message) from error
    try:
        canary = fields["canary"] and Canary(
            int(fields["canary"]["version"]), float(fields["canary"]["percent"])
        )
        previous = fields["previous"] and int(fields["previous"])
        return Serving(int(fields["version"]), previous, canary)
    except (KeyError, TypeError, ValueError) as error:
        message = f"{path} is no choice of a version; write it anew by osteon models promote"
        raise ModelMismatch(message) from error


def write_serving(folder: Path, serving: Serving) -> None:
    """Write the choice in one step: a worker reads the old one or the new one."""
    partial = folder / f".{CHOICE}.partial"
    partial.write_text(json.dumps(asdict(serving), indent=2) + "\n", encoding="utf-8")
    partial.replace(folder / CHOICE)
