"""Seccomp filters (Linux) for processes that read files of strangers.

A decoder written in C that is taken over by the bytes it decodes can do what its process can. One
filter leaves reading, computing and answering on pipes: no socket is opened, and no file written,
made, renamed or removed. Both leave threads, and neither a process nor a program.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass

_PR_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER, _TSYNC = 1, 1  # every thread that runs already
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_CLONE_THREAD = 0x00010000
_X32 = 0x40000000
_O_WRITES = 0o1 | 0o2 | 0o100 | 0o1000 | 0o2000  # WRONLY, RDWR, CREAT, TRUNC, APPEND


@dataclass(frozen=True)
class _Machine:
    """The numbers of one architecture (the kernel's syscall tables)."""

    audit: int
    seccomp: int
    clone: int
    openat: int
    open: int | None
    tgkill: int
    prlimit: int
    missing: tuple[int, ...]
    """clone3 and openat2: said not to exist, so that libc takes the older call."""
    starts: tuple[int, ...]
    """What starts processes and programs, or takes hold of others."""
    changes: tuple[int, ...]
    """What reaches the network, files and other processes."""


_X86_64 = _Machine(
    audit=0xC000003E,
    seccomp=317,
    clone=56,
    openat=257,
    open=2,
    tgkill=234,
    prlimit=302,
    missing=(435, 437),
    starts=(
        *(57, 58, 59, 322),  # fork, vfork, execve, execveat
        *(101, 155, 161, 165, 166, 272, 308),  # ptrace, pivot_root, chroot, mount, unshare, setns
        *(248, 249, 250, 298, 304, 321, 323),  # keys, perf, handles, bpf, userfaultfd
    ),
    changes=(
        *(41, 42, 49, 53, 288),  # socket, connect, bind, socketpair, accept4
        *(62, 129, 200, 297, 424, 434, 438),  # kill and its kin
        *(109, 112, 310, 311, 425),  # setpgid, setsid, process_vm, uring
        *(76, 77, 82, 83, 84, 85, 86, 87, 88),  # truncate to symlink
        *(90, 91, 92, 93, 94, 133),  # chmod, chown, mknod
        *(258, 259, 260, 263, 264, 265, 266, 268, 316, 452),  # the same with a folder's descriptor
        *(188, 189, 190, 197, 198, 199, 132, 235, 280),  # extended attributes, times
    ),
)
_AARCH64 = _Machine(
    audit=0xC00000B7,
    seccomp=277,
    clone=220,
    openat=56,
    open=None,
    tgkill=131,
    prlimit=261,
    missing=(435, 437),
    starts=(
        *(221, 281),  # execve, execveat
        *(117, 39, 40, 41, 51, 97, 268),  # ptrace, umount2, mount, pivot_root, chroot, unshare
        *(217, 218, 219, 241, 265, 280, 282),  # keys, perf, handles, bpf, userfaultfd
    ),
    changes=(
        *(198, 199, 200, 203, 242),  # socket, socketpair, bind, connect, accept4
        *(129, 130, 138, 240, 424, 434, 438),  # kill and its kin
        *(154, 157, 270, 271, 425),  # setpgid, setsid, process_vm, uring
        *(33, 34, 35, 36, 37, 38, 45, 46, 52, 53, 54, 55, 276, 452),  # make, remove, rename, chmod
        *(5, 6, 7, 14, 15, 16, 88),  # extended attributes, times
    ),
)
_MACHINES = {"x86_64": _X86_64, "aarch64": _AARCH64}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def forbid_all_but_reading() -> bool:
    """Leave reading and computing to every thread of this process, for good.

    What is forbidden fails with EPERM, as it does for a user without the right. False where the
    kernel has no such filters.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return False
    program = _by_argument(machine.openat, 2, _O_WRITES, (_DENY, _PERMIT))
    program += _own_only(machine.tgkill, os.getpid()) + _own_only(machine.prlimit, 0)
    if machine.open is not None:
        program += _by_argument(machine.open, 1, _O_WRITES, (_DENY, _PERMIT))
    return _filter(machine, (*machine.starts, *machine.changes), program)


def forbid_new_processes() -> bool:
    """Let no thread of this process start another process or program, for good; else as above."""
    machine = _MACHINES.get(platform.machine())
    return machine is not None and _filter(machine, machine.starts, [])


def _filter(machine: _Machine, forbidden: tuple[int, ...], more: list[bytes]) -> bool:
    code = b"".join(_instructions(machine, forbidden, more))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    program = _Program(len(code) // 8, code)
    done = libc.syscall(machine.seccomp, _SET_MODE_FILTER, _TSYNC, ctypes.byref(program))
    return bool(done == 0)


def _instructions(machine: _Machine, forbidden: tuple[int, ...], more: list[bytes]) -> list[bytes]:
    """Return the filter: classic BPF, whose jumps count instructions to step over."""
    program = [_op(_LOAD, _ARCHITECTURE_AT), _op(_EQUAL, machine.audit, 1, 0), _end(_KILL)]
    program += [_op(_LOAD, _NUMBER_AT), _op(_AT_LEAST, _X32, 0, 1), _DENY]
    for number in machine.missing:
        program += [_op(_EQUAL, number, 0, 1), _end(_FAIL | errno.ENOSYS)]
    for number in forbidden:
        program += [_op(_EQUAL, number, 0, 1), _DENY]
    program += _by_argument(machine.clone, 0, _CLONE_THREAD, (_PERMIT, _DENY))
    return [*program, *more, _PERMIT]


def _by_argument(number: int, argument: int, bits: int, ends: tuple[bytes, bytes]) -> list[bytes]:
    """Decide one call by the bits of one argument: the first end where one of them is set."""
    at = _ARGUMENTS_AT + 8 * argument
    return [_op(_EQUAL, number, 0, 4), _op(_LOAD, at), _op(_ANY_BIT, bits, 0, 1), *ends]


def _own_only(number: int, process: int) -> list[bytes]:
    """Allow a call whose first argument names this process."""
    load = _op(_LOAD, _ARGUMENTS_AT)
    return [_op(_EQUAL, number, 0, 4), load, _op(_EQUAL, process, 0, 1), _PERMIT, _DENY]


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _end(action: int) -> bytes:
    return _op(_RETURN, action)


_DENY, _PERMIT = _end(_FAIL | errno.EPERM), _end(_ALLOW)
