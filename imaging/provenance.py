"""Where a result comes from: enough to make it again and to tell it from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ModelIdentity:
    """A served model: its name, its version and the SHA-256 of its file (hexadecimal)."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class BurdenMethod:
    """Who drew the disease mask, and from which value on a voxel is disease.

    The mask is burden (raised high-b signal inside bone, without organs and canal), whoever drew
    it: TDV and gADC come from it. It is no list of focal lesions.
    """

    method: Literal["network", "rule"]
    model: ModelIdentity | None
    """The network; None where the documented rule of `imaging.disease` decided."""
    threshold: float
    threshold_of: Literal["probability", "normalised_signal"]
    """A network's threshold is the same in every patient, the rule's follows his marrow."""
    definition: Literal["burden"] = "burden"

    def in_words(self) -> str:
        """Return one line without a verb, for reports."""
        if self.model is None:
            return f"burden by the rule, normalised signal from {self.threshold:.3g} on"
        who = f"network {self.model.name} {self.model.version}"
        return f"burden by {who}, probability from {self.threshold:.3g} on"


@dataclass(frozen=True)
class Provenance:
    """One run: software, models, a digest of the settings that change numbers, run and times.

    `started_at` and `finished_at` are ISO 8601 with a time zone; `device_uid` is the DICOM UID
    of this installation, `run_id` that of the job's run.
    """

    software_version: str
    git_commit: str
    models: tuple[ModelIdentity, ...]
    settings_digest: str
    device_uid: str
    run_id: str
    started_at: str
    finished_at: str
    burden: BurdenMethod
