"""The named fault points: what the code has, and what an order does to a process."""

import ast
import signal
import subprocess
import sys
from collections import Counter

from jobs.store import JobStore
from tests.chaos.point_table import EVERYWHERE, OF_THE_STORE
from tests.chaos.points import Orders
from tests.model_server import PROJECT

SHIPPED = ("dicom_node", "dicom_objects", "imaging", "jobs", "report", "service", "workers")
_PASSES = """
import sys
from jobs.fault_points import arm, fault
from tests.chaos.points import Struck
arm(Struck(sys.argv[1]))
for number in range(3):
    fault("other.point")
    fault("this.point")
    print(number, flush=True)
"""


def named_in_the_code():
    """Every literal that is given to `fault`, as often as it is."""
    found = Counter()
    for room in SHIPPED:
        for path in (PROJECT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "fault":
                    (name,) = node.args
                    if isinstance(name, ast.Constant):
                        found[name.value] += 1
    return found


def test_every_point_has_a_name_of_its_own_and_a_place_in_the_table():
    found = named_in_the_code()
    assert max(found.values()) == 1
    assert max(Counter(EVERYWHERE).values()) == 1
    assert set(found) == set(EVERYWHERE) - OF_THE_STORE
    assert len(EVERYWHERE) >= 40


def test_the_stores_points_stand_before_and_after_its_commits():
    moments = Counter(name.split(".")[1] for name in OF_THE_STORE)
    assert set(moments) == {"written", "committed"}
    for name in OF_THE_STORE:
        method = getattr(JobStore, name.split(".", maxsplit=1)[0])
        assert callable(method), name


def passes(folder):
    done = subprocess.run(
        [sys.executable, "-c", _PASSES, str(folder)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.split()


def test_a_process_dies_at_its_point_at_the_ordered_time_and_never_again(tmp_path):
    orders = Orders(tmp_path / "points")
    assert passes(orders.folder) == (0, ["0", "1", "2"])
    orders.strike("this.point", times=2)
    assert passes(orders.folder) == (-signal.SIGKILL, ["0"])
    assert orders.struck("this.point")
    assert passes(orders.folder) == (0, ["0", "1", "2"])


def test_times_are_counted_over_processes(tmp_path):
    orders = Orders(tmp_path / "points")
    orders.strike("this.point", times=5)
    assert passes(orders.folder) == (0, ["0", "1", "2"])
    assert passes(orders.folder) == (-signal.SIGKILL, ["0"])
    orders.strike("this.point", times=1)
    assert not orders.struck("this.point")
    orders.withdraw()
    assert passes(orders.folder) == (0, ["0", "1", "2"])
