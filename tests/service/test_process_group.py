import os
import signal
import sys
import threading
import time

import psutil
import pytest

from service.process_group import ProcessGroup

SLEEP = "import time; time.sleep(60)"


def program(text):
    return [sys.executable, "-c", text]


def until(test, limit_s=20.0):
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if test():
            return
        time.sleep(0.05)
    pytest.fail("it did not happen")


def test_a_member_that_is_killed_is_started_again_and_all_stop_together():
    before = set(psutil.Process().children())  # a server that other tests share may run
    group = ProcessGroup({"one": program(SLEEP), "two": program(SLEEP)})
    stop = threading.Event()
    thread = threading.Thread(target=group.run, args=(stop,))
    thread.start()
    until(lambda: group._members and group.pid("one") and group.pid("two"))
    first = group.pid("one")
    os.kill(first, signal.SIGKILL)
    until(lambda: group.pid("one") not in (None, first))
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert set(psutil.Process().children()) <= before


def test_a_member_that_fails_at_once_is_not_started_in_a_tight_loop(tmp_path):
    starts = tmp_path / "starts"
    group = ProcessGroup({"bad": program(f"open({str(starts)!r}, 'a').write('x'); 1 / 0")})
    stop = threading.Event()
    thread = threading.Thread(target=group.run, args=(stop,))
    thread.start()
    time.sleep(4.0)
    stop.set()
    thread.join(20)
    assert 1 <= len(starts.read_text()) <= 3


def test_a_process_ends_with_the_one_that_started_it(tmp_path):
    pid_file = tmp_path / "pid"
    child = (
        "from service.process_group import end_with_parent; import os, time\n"
        f"end_with_parent(); open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    )
    parent = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]).wait()"
    with psutil.Popen(program(parent)) as started:
        try:
            until(lambda: pid_file.exists() and pid_file.read_text())
        finally:
            started.kill()
    pid = int(pid_file.read_text())
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie")
