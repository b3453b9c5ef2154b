"""Each limit of a child, seen from inside a real one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PRELUDE = """
import json, os, resource, socket, subprocess, sys, threading
from workers.confinement import ReadingLimits, confine, confine_reader
from workers.system_calls import forbid_new_processes
"""
TRIALS = """
def tried(action):
    try:
        action()
    except OSError as error:
        return error.errno
    except MemoryError:
        return "memory"
    return 0

def thread():
    one = threading.Thread(target=int)
    one.start()
    one.join()

def says(**trials):
    print(json.dumps({name: tried(action) for name, action in trials.items()}), flush=True)
"""
EPERM = 1


def child(program, **options):
    """Run a program; its answers go through a pipe, for it may not write to a file."""
    return subprocess.run(
        (sys.executable, "-c", PRELUDE + TRIALS + program),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        **options,
    )


def test_who_only_reads_may_read_and_compute_and_nothing_else(tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("of the spool")
    program = f"""
assert confine_reader(ReadingLimits(0.5))
kept = {str(kept)!r}
says(
    read=lambda: open(kept).read(),
    thread=thread,
    empty=lambda: open(kept, "w"),
    append=lambda: open(kept, "a"),
    make=lambda: open(kept + ".new", "x"),
    remove=lambda: os.unlink(kept),
    rename=lambda: os.rename(kept, kept + ".other"),
    truncate=lambda: os.truncate(kept, 0),
    folder=lambda: os.mkdir(kept + ".d"),
    fork=os.fork,
    program=lambda: subprocess.run(["true"]),
    replace=lambda: os.execv("/bin/true", ["true"]),
    network=socket.socket,
    session=os.setsid,
    signal=lambda: os.kill(os.getppid(), 0),
    limit=lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (0, 0)),
    memory=lambda: bytearray(2**29),
)
"""
    told = json.loads(child(program).stdout)
    assert {name for name, error in told.items() if error == 0} == {"read", "thread"}
    assert told.pop("memory") == "memory"
    assert {told[name] for name in told.keys() - {"read", "thread"}} == {EPERM}
    assert kept.read_text() == "of the spool"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_who_computes_what_strangers_sent_starts_nothing_more(tmp_path):
    program = f"""
confine(None)
assert forbid_new_processes()
says(
    write=lambda: open({str(tmp_path / "made")!r}, "w").write("x"),
    network=socket.socket,
    thread=thread,
    fork=os.fork,
    program=lambda: subprocess.run(["true"]),
    replace=lambda: os.execv("/bin/true", ["true"]),
    pair=lambda: os.posix_spawn("/bin/true", ["true"], {{}}),
)
"""
    told = json.loads(child(program).stdout)
    assert {name for name, error in told.items() if error == 0} == {"write", "network", "thread"}
    assert {told[name] for name in ("fork", "program", "replace", "pair")} == {EPERM}


def test_the_filter_holds_threads_that_ran_before_it():
    program = """
go, told = threading.Event(), []
def late():
    go.wait()
    told.append(tried(socket.socket))
before = threading.Thread(target=late)
before.start()
confine_reader(ReadingLimits())
go.set()
before.join()
print(told[0])
"""
    assert child(program).stdout.strip() == str(EPERM)


def test_who_only_reads_may_abort_itself_and_signal_nobody_else():
    program = """
import ctypes, platform
confine_reader(ReadingLimits())
libc = ctypes.CDLL(None, use_errno=True)
tgkill = {"x86_64": 234, "aarch64": 131}[platform.machine()]
print(libc.syscall(tgkill, os.getppid(), os.getppid(), 0), ctypes.get_errno(), flush=True)
os.abort()
"""
    ended = child(program)
    assert (ended.stdout.strip(), ended.returncode) == (f"-1 {EPERM}", -6)


def test_processor_time_ends_a_loop():
    program = "confine_reader(ReadingLimits(cpu_s=1))\nwhile True: pass"
    assert child(program).returncode == -9  # soft and hard limit are one: no time to clean up


@pytest.mark.parametrize("memory_gib", [None, 0.5])
def test_who_computes_may_write_and_start_but_leaves_no_core(memory_gib, tmp_path):
    program = f"""
confine({memory_gib})
says(
    write=lambda: open({str(tmp_path / "made")!r}, "w").write("x"),
    program=lambda: subprocess.run(["true"], check=True),
    network=socket.socket,
)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({{
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "space": resource.getrlimit(resource.RLIMIT_AS)[0],
    "privileges": status["NoNewPrivs"].strip(),
    "score": open("/proc/self/oom_score_adj").read().strip(),
}}))
import ctypes
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""
    trials, facts, dumpable = child(program).stdout.splitlines()
    assert set(json.loads(trials).values()) == {0}
    told = json.loads(facts)
    assert (told["core"], told["privileges"], told["score"]) == ([0, 0], "1", "500")
    assert told["space"] == (-1 if memory_gib is None else 2**29)
    assert dumpable == "0"


def test_a_limit_that_is_lower_already_stays_lower():
    program = """
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
confine(None)
print(resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    assert child(program).stdout.strip() == "(64, 64)"
