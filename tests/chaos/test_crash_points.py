"""D-2: a process dies at each named point; whatever it was doing, the invariants hold after it.

Short form: every point once, embedded. `--full`: at the first and at the second time that a
process comes there, embedded and in production mode.
"""

from itertools import zip_longest

import pytest

from tests.acceptance.peers import wait_for
from tests.chaos.point_table import AFTER_A_DEATH, AT_THE_BELL, AT_THE_JOB, AT_THE_NODE, TAKES_TIME
from tests.chaos.small_studies import write_small_study

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1200)]

LIMIT_S = 120
# A point of the node and two of the job are struck with one study: they do not know each other.
GROUPS = [
    of_node + of_job for of_node, of_job in zip_longest(AT_THE_NODE, AT_THE_JOB, fillvalue=())
]


def die_at(system, points, hit, folder):
    """Send studies until a process has died at each of the points; then everything must hold."""
    for name in points:
        system.orders.strike(name, 1 if name in AFTER_A_DEATH else hit)
    system.orders.measure_for(1.0 if TAKES_TIME & set(points) else 0.0)
    sender = system.sender()
    for number in range(hit):
        study = write_small_study(folder / f"study{number}", 3)
        sender.send_all(study.paths, study.uid)

    def left():
        return [name for name in points if not system.orders.struck(name)]

    try:
        wait_for(f"a death at each of {points}", lambda: not left(), LIMIT_S)
        system.assert_all_hold(LIMIT_S)
    except AssertionError as error:
        error.add_note(f"not struck: {left()}")
        raise
    finally:
        system.orders.withdraw()


@pytest.mark.parametrize("points", GROUPS, ids="-".join)
def test_a_process_dies_at_a_point(system, points, hit, tmp_path):
    die_at(system, points, hit, tmp_path)


@pytest.mark.parametrize("points", AT_THE_BELL, ids="-".join)
def test_a_node_dies_as_it_rings(backend, points, hit, tmp_path, request):
    if backend == "embedded":
        pytest.skip("nothing rings in the embedded mode; --full runs both")
    die_at(request.getfixturevalue("system"), points, hit, tmp_path)
