"""Jobs' processes without their start: they fork from one that has imported everything.

A job's process spends two seconds on imports, a measurement that is left out none: short forms of
chaos tests would wait for nothing else. The worker starts `python -m service.job_process` as ever;
`armed/sitecustomize.py` turns that process into a client at once. It hands its standard streams to
the warm process, which forks the real one, and ends as that ends; if it is killed, so is the other.
"""

import contextlib
import ctypes
import importlib
import os
import selectors
import signal
import socket
import struct
import sys
from dataclasses import dataclass

_PR_SET_PDEATHSIG = 1
_STATUS = struct.Struct("i")


def hand_over(place: str) -> None:
    """Be the process of a job, in another's name: ends this process."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    with socket.socket(socket.AF_UNIX) as warm:
        warm.connect(place)
        socket.send_fds(warm, [b"."], [0, 1, 2])
        said = warm.recv(_STATUS.size, socket.MSG_WAITALL)
    (status,) = _STATUS.unpack(said) if len(said) == _STATUS.size else (-signal.SIGKILL,)
    if status < 0:
        os.kill(os.getpid(), -status)
    os._exit(status)


@dataclass
class _Forked:
    client: socket.socket
    pid: int
    ended: int
    """A descriptor that is readable once the process is gone."""
    told: bool = False
    """Whether the process was waited for: its number may be another's by now."""


class WarmProcess:
    """One thread, so that a fork copies no lock that somebody holds."""

    def __init__(self, place: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(place)
        self._listener.listen(64)
        self._events = selectors.DefaultSelector()
        self._events.register(self._listener, selectors.EVENT_READ)

    def serve(self) -> None:
        while True:
            for key, _ in self._events.select():
                if key.fileobj is self._listener:
                    self._begin(self._listener.accept()[0])
                elif key.data is not None and key.fd == key.data.ended:
                    self._tell(key.data)
                elif key.data is not None and not key.data.told:
                    os.kill(key.data.pid, signal.SIGKILL)  # its client was killed
                    self._events.unregister(key.fileobj)

    def _begin(self, client: socket.socket) -> None:
        _, streams, _, _ = socket.recv_fds(client, 1, 3)
        if len(streams) != 3:
            client.close()
            return
        pid = os.fork()
        if pid == 0:
            self._run(streams)
        for descriptor in streams:
            os.close(descriptor)
        forked = _Forked(client, pid, os.pidfd_open(pid))
        self._events.register(client, selectors.EVENT_READ, forked)
        self._events.register(forked.ended, selectors.EVENT_READ, forked)

    def _tell(self, forked: _Forked) -> None:
        _, raw = os.waitpid(forked.pid, 0)
        forked.told = True
        self._events.unregister(forked.ended)
        os.close(forked.ended)
        if forked.client.fileno() in {key.fd for key in self._events.get_map().values()}:
            self._events.unregister(forked.client)
            with contextlib.suppress(OSError):  # killed at this moment
                forked.client.sendall(_STATUS.pack(os.waitstatus_to_exitcode(raw)))
        forked.client.close()

    def _run(self, streams: list[int]) -> None:
        from service import job_process  # noqa: PLC0415 - imported long ago

        status = 1
        try:
            self._events.close()
            self._listener.close()
            for number, descriptor in enumerate(streams):
                os.dup2(descriptor, number)
            sys.stdin, sys.stdout, sys.stderr = (
                os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww")
            )
            status = job_process.main()
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)


if __name__ == "__main__":
    importlib.import_module("service.job_process")
    WarmProcess(sys.argv[1]).serve()
