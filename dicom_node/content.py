"""Looks at the content of open studies, beside the loop that receives and never in its way.

What a look does is given from outside (`ContentCheck`): this room knows no pixels and no rules.
One thread looks at one study at a time. A study is looked at once for each state of its arrivals.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Content:
    """The input files that have arrived of one study."""

    study_uid: str
    paths: tuple[Path, ...] = field(repr=False)
    late: frozenset[Path] = field(repr=False)
    """Those of them that no revision has taken in."""


@dataclass(frozen=True)
class Verdict:
    """Whether a content looks whole, and one sentence why; no patient data."""

    whole: bool
    sentence: str


class ContentCheck(Protocol):
    """Judges a content; may take seconds, and may be called from another thread."""

    def __call__(self, content: Content) -> Verdict:
        """Return the verdict; a content that cannot be looked at is not whole."""

    def close(self) -> None:
        """End a call that still runs, and let go of everything; may be called more than once."""


class Looks:
    """The verdicts on open studies; used from one thread."""

    def __init__(self, check: ContentCheck) -> None:
        """Start nothing yet."""
        self._check = check
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="content")
        self._looks: dict[str, tuple[int, Future[Verdict]]] = {}

    def whole(self, study_uid: str, state: int, read: Callable[[], Content]) -> bool:
        """Tell whether the content in this state of the study's arrivals is known to be whole.

        The first call for a state reads the content and begins the look; later ones ask for it.
        """
        seen, look = self._looks.get(study_uid, (None, None))
        if look is None or seen != state:
            if look is not None:
                look.cancel()
            look = self._pool.submit(self._look, read())
            look.add_done_callback(_report_bug)
            self._looks[study_uid] = state, look
            return False
        return look.done() and look.exception() is None and look.result().whole

    def forget(self, study_uid: str) -> None:
        """Drop what is known of a study that was closed, and what was still to be looked at."""
        _, look = self._looks.pop(study_uid, (0, None))
        if look is not None:
            look.cancel()

    def stop(self) -> None:
        """End what runs and start nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._check.close()
        self._pool.shutdown(wait=True)

    def _look(self, content: Content) -> Verdict:
        verdict = self._check(content)
        answer = "whole" if verdict.whole else "not whole yet"
        text, told = "a study of %s images is %s: %s", {"event": "study_looked_at"}
        _log.info(text, len(content.paths), answer, verdict.sentence, extra=told)
        return verdict


def _report_bug(look: Future[Verdict]) -> None:
    bug = None if look.cancelled() else look.exception()
    if bug is not None:
        # Its text may quote a header.
        told = {"event": "defect", "code": "INTERNAL"}
        _log.error("bug in the look at a study's content: %s", type(bug).__name__, extra=told)
