"""What threads do for one association, one piece of work at a time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from dicom_node.defects import DefectsAreLogged

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future

_Result = TypeVar("_Result")
Then: TypeAlias = "Callable[[Any], None]"


class Errands:
    """Sends work to threads and hears of it in the loop."""

    def __init__(self, returned: Callable[[Future[Any], Then], None]) -> None:
        """Have `returned` called in the loop with what came of it and who wants to know."""
        self._returned = returned
        self._loop = asyncio.get_running_loop()
        self.at_work = False

    def send(
        self, pool: Executor, work: Callable[[], _Result], then: Callable[[_Result], None]
    ) -> None:
        """Have a thread of `pool` do `work`; nobody may send another until it is back."""
        self.at_work = True

        def done(future: Future[_Result]) -> None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._back, future, then)

        pool.submit(_watched, work).add_done_callback(done)

    def _back(self, future: Future[Any], then: Then) -> None:
        self.at_work = False
        self._returned(future, then)


def _watched(work: Callable[[], _Result]) -> _Result:
    with DefectsAreLogged():
        return work()
