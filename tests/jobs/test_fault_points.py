import ast
from pathlib import Path

import pytest

from jobs import fault_points
from jobs.fault_points import arm, disarm, fault
from jobs.migrate import upgrade
from jobs.store import JobStore
from tests.jobs.test_revisions import instance

ROOT = Path(__file__).parents[2]
SHIPPED = ("dicom_node", "dicom_objects", "imaging", "jobs", "report", "service", "workers")


@pytest.fixture(autouse=True)
def _nothing_stays_armed():
    yield
    disarm()


def test_a_point_does_nothing_until_it_is_armed():
    reached = []
    fault("file.written")
    arm(reached.append)
    fault("file.written")
    fault("file.named")
    disarm()
    fault("file.durable")
    assert reached == ["file.written", "file.named"]


def test_a_write_of_the_store_has_a_point_before_and_after_its_commit(tmp_path):
    url = f"sqlite:///{tmp_path}/osteon.sqlite"
    upgrade(url)
    seen = []
    with JobStore(url) as store, JobStore(url) as other:
        arm(lambda name: seen.append((name, len(other.instances("1.2")))))
        store.record_instances([instance("1.2", 1)])
    # Another connection sees the row after the commit and not before.
    assert seen == [("record_instances.written", 0), ("record_instances.committed", 1)]


def test_nothing_that_ships_arms_a_point():
    for room in SHIPPED:
        for path in (ROOT / room).rglob("*.py"):
            if path.name == "fault_points.py":
                continue
            names = {
                name.name
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.ImportFrom) and node.module == fault_points.__name__
                for name in node.names
            }
            assert names <= {"fault"}, path
