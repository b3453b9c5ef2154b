"""Compressed files written in a thread beside other work: deflate needs no interpreter."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jobs.result import ResultFile

_Files = tuple["ResultFile", ...]


@contextmanager
def written_beside(
    *writers: Callable[[], Iterable[ResultFile]],
) -> Iterator[tuple[Callable[[], _Files], ...]]:
    """Let `writers` write in turn beside the work of the block.

    Yields for each what waits for its files and gives them, or raises what it raised.
    """
    with ThreadPoolExecutor(1, "files") as pool:
        yield tuple(pool.submit(_all_of, writer).result for writer in writers)


def _all_of(writer: Callable[[], Iterable[ResultFile]]) -> _Files:
    return tuple(writer())
