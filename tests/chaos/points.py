"""Fault points in a running system: which one kills the process that comes to it, and when.

A folder holds the orders. The file `<point>` with a number n in it: the n-th time that any process
comes to the point, it is killed there (SIGKILL, as kill -9), and the file is named
`<point>.struck`. Times are counted over all processes, in the length of `<point>.passed`.
"""

import fcntl
import os
import signal
import threading
from pathlib import Path

MEASURE_S = "measure_s"


class Struck:
    """What an armed process does at each point: look for an order, count, and die."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._lock = threading.Lock()

    def __call__(self, name: str) -> None:
        order = self._folder / name
        if not order.exists():
            return
        with self._lock, order.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            passed = self._folder / f"{name}.passed"
            with passed.open("ab") as marks:
                marks.write(b".")
            if order.exists() and passed.stat().st_size >= int(file.read()):
                order.rename(order.with_name(f"{name}.struck"))
                os.kill(os.getpid(), signal.SIGKILL)


class Orders:
    """The test's side: orders a death, and asks whether it came."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def strike(self, name: str, times: int = 1) -> None:
        for left in self.folder.glob(f"{name}.*"):
            if left.name in (f"{name}.passed", f"{name}.struck"):
                left.unlink()
        new = self.folder / f"{name}.new"
        new.write_text(str(times))
        new.rename(self.folder / name)

    def struck(self, name: str) -> bool:
        return (self.folder / f"{name}.struck").exists()

    def measure_for(self, seconds: float) -> None:
        """Have jobs without a measurement take so long all the same."""
        (self.folder / MEASURE_S).write_text(str(seconds))

    def withdraw(self) -> None:
        for path in self.folder.iterdir():
            path.unlink()
