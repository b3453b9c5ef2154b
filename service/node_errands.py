"""What runs beside the receiver in the node's process: one thread for each errand."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from dicom_node.defects import DefectsAreLogged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Errand: TypeAlias = "Callable[[threading.Event], None]"
"""Works until the event is set."""


@contextmanager
def errands(started: threading.Event, *what: Errand) -> Iterator[None]:
    """Run them inside the block, once `started` is set: the spool is the node's only then."""
    stop = threading.Event()

    def run(errand: Errand) -> None:
        while not started.wait(0.1):
            if stop.is_set():
                return
        with DefectsAreLogged():
            errand(stop)

    threads = [threading.Thread(target=run, args=[errand], daemon=True) for errand in what]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
