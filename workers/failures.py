"""What becomes of a job when a stage raises: the one table of fates.

An error is raised where it arises, with a stable `code` and a sentence for people. Whether that
rejects the study, is tried again, waits for a person, or is our own bug, stands here.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from dicom_node.errors import PeerRefused, PeerUnavailable
from dicom_objects.errors import NoUsableDiffusion, SourceMismatch
from imaging.errors import GeometryError, ModelMismatch, UnusableImages
from jobs.errors import ResultConflict, StoreUnavailable
from jobs.job import Failure
from workers.delivery import DeliveryWaits
from workers.delivery_way import ResultDamaged
from workers.inference.model import ModelUnavailable
from workers.priors import IdentityConflict, PriorsAwaited

if TYPE_CHECKING:
    from jobs.job import Stage


class Fate(StrEnum):
    """What happens to the job."""

    REJECT = "reject"  # these images cannot be measured: say why, do not try again
    RETRY = "retry"  # a collaborator is away: the same input may succeed later
    HOLD = "hold"  # a person has to change something first
    BUG = "bug"  # ours: fail with where it happened


@dataclass(frozen=True)
class Verdict:
    """The fate of a job and what is written down about it."""

    fate: Fate
    failure: Failure


# The first row that matches counts, so a subclass stands before its base.
TABLE: tuple[tuple[type[BaseException], Fate], ...] = (
    (NoUsableDiffusion, Fate.REJECT),
    (UnusableImages, Fate.REJECT),
    (GeometryError, Fate.REJECT),
    (ModelUnavailable, Fate.RETRY),
    (DeliveryWaits, Fate.RETRY),
    (PriorsAwaited, Fate.RETRY),
    (PeerUnavailable, Fate.RETRY),
    (StoreUnavailable, Fate.RETRY),
    (PeerRefused, Fate.HOLD),
    (ResultDamaged, Fate.HOLD),
    (IdentityConflict, Fate.HOLD),
    (ModelMismatch, Fate.HOLD),
    (SourceMismatch, Fate.BUG),
    (ResultConflict, Fate.BUG),
)
BACK_OFF_S = (10.0, 30.0, 120.0, 600.0, 1800.0)
"""Delay before each further try of a job; the last one repeats."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def judge(error: BaseException, stage: Stage | None) -> Verdict:
    """Look up what an error means for the job that raised it in `stage`."""
    for kind, fate in TABLE:
        if isinstance(error, kind):
            code = str(getattr(error, "code", kind.__name__))
            return _verdict(fate, code, str(error), stage)
    if isinstance(error, OSError) and error.errno in _FULL:
        sentence = "the disk of the data directory is full; free space, the job tries again"
        return _verdict(Fate.RETRY, "DISK_FULL", sentence, stage)
    if isinstance(error, MemoryError):
        sentence = "the job needs more memory than it may use; raise worker.memory_gib"
        return _verdict(Fate.HOLD, "OUT_OF_MEMORY", sentence, stage)
    # The text of an unknown error may quote a data set, so only its kind is written down.
    sentence = f"a defect of Osteon ({type(error).__name__}); the log of this job says where"
    return _verdict(Fate.BUG, "INTERNAL", sentence, stage)


def back_off_s(tries: int) -> float:
    """Return how long a job waits after `tries` tries that did not succeed."""
    return BACK_OFF_S[min(max(tries, 1), len(BACK_OFF_S)) - 1]


def _verdict(fate: Fate, code: str, message: str, stage: Stage | None) -> Verdict:
    return Verdict(fate, Failure(code, message, stage, retryable=fate is Fate.RETRY))
