"""Asking again: pauses that grow, and a breaker that leaves a dead server in peace."""

from __future__ import annotations

import functools
import logging
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from workers.inference.model import ModelUnavailable
from workers.vitals import ServerBack, ServerFailed, silence

if TYPE_CHECKING:
    from collections.abc import Callable

    from workers.vitals import Tell

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 8.0


@dataclass
class Breaker:
    """Counts failures in a row: after `limit` of them nobody asks for `rest_s`, then one may.

    One for each server and process (`breaker_of`), so that all models and slabs share it.
    """

    url: str
    limit: int = 3
    rest_s: float = 5.0
    now: Callable[[], float] = time.monotonic
    tell: Tell = silence
    _failures: int = field(default=0, init=False)
    _closed_until: float = field(default=0.0, init=False)

    def allows(self) -> bool:
        """Whether a request may go out now; while the server rests, none may."""
        if self._failures < self.limit:
            return True
        if self.now() < self._closed_until:
            return False
        self._closed_until = self.now() + self.rest_s  # this one is the trial
        return True

    def succeeded(self) -> None:
        """Forget the failures."""
        if self._failures:
            self.tell(ServerBack())
        self._failures = 0

    def failed(self) -> None:
        """Count one more."""
        self._failures += 1
        self._closed_until = self.now() + self.rest_s
        self.tell(ServerFailed(self._failures >= self.limit))


@functools.cache
def breaker_of(url: str) -> Breaker:
    """Return this process's breaker for the server at `url`."""
    return Breaker(url)


@dataclass(frozen=True)
class Patience:
    """How long, and in which rhythm, a request is made again."""

    limit_s: float
    breaker: Breaker
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def persist(self, request: Callable[[], _T]) -> _T:
        """Return what `request` gives, asking again while the server is away.

        Raises:
            ModelUnavailable: it was still away after `limit_s`. Other errors pass at once: to ask
                again would not mend them.

        """
        give_up = self.now() + self.limit_s
        pause = _FIRST_PAUSE_S
        message = f"the model server at {self.breaker.url} was not asked: it failed too often"
        away = ModelUnavailable(message)
        while True:
            if self.breaker.allows():
                try:
                    answer = request()
                except ModelUnavailable as error:
                    self.breaker.failed()
                    told = {"event": "model_server_away", "code": error.code}
                    _LOG.warning("%s; asking again in about %.2g s", error, pause, extra=told)
                    away = error
                else:
                    self.breaker.succeeded()
                    return answer
            if self.now() + pause > give_up:
                raise away
            self.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(2 * pause, _LONGEST_PAUSE_S)
