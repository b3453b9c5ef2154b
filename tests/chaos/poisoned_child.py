"""The process of a job, and a pipeline that does what the study's UID says: the seam of D-28.

Everything else is the real child: its limits, its screening, its fates. A poisonous study does to
this process what a defect of a library, or an image made for it, would do.
"""

import ctypes
import errno
import hashlib
import os
import signal
import sys
import time
from types import SimpleNamespace

from jobs.job import Stage
from jobs.result import ResultFile
from workers import child, processing
from workers.configuration import Assignment

KINDS = ("sound", "segv", "killed", "memory", "loop", "forks")
ROOT = "1.2.826.0.1.3680043.10.1"
_MOST_FORKS = 32
"""A bomb that goes off all the same stays this small."""


def study_uid(kind: str, number: int) -> str:
    """Return the UID of a study that does this."""
    return f"{ROOT}.{KINDS.index(kind) + 1}.{number}"


class Pipeline:
    """Writes one file, or does its worst."""

    def __init__(self, kind: str) -> None:
        """Do what `kind` says."""
        self.kind = kind

    def run(self, paths, folder, run, recorder):  # noqa: ARG002 - as the real one
        with recorder.stage(Stage.READ):
            getattr(self, f"_{self.kind}")()
        data = b'{"tdv_ml": 1.0}'
        (folder / "measurements.json").write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        kept = ("measurements", "measurements.json", "application/json", "measurements.json")
        return SimpleNamespace(findings=None, files=(ResultFile(*kept, digest),))

    def _sound(self) -> None:
        pass

    def _segv(self) -> None:
        ctypes.string_at(0)

    def _killed(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory is short

    def _memory(self) -> None:
        eaten = []
        while True:
            eaten.append(bytearray(2**26))

    def _loop(self) -> None:
        while True:
            time.sleep(0.01)

    def _forks(self) -> None:
        for _ in range(_MOST_FORKS):
            try:
                born = os.fork()
            except OSError as error:
                if error.errno == errno.EPERM:
                    raise ChildProcessError("no process may be started here") from None
                raise
            if born == 0:
                time.sleep(20.0)
                os._exit(0)


def main() -> int:
    """Run the job that standard input names."""
    assignment = Assignment.from_json(sys.stdin.readline())
    processing.summarise = lambda _findings: {"tdv_ml": 1.0}
    child.load_pipeline = lambda _configuration, study, _telling=None: Pipeline(
        KINDS[int(study.removeprefix(f"{ROOT}.").split(".")[0]) - 1]
    )
    return child.run(assignment)


if __name__ == "__main__":
    sys.exit(main())
