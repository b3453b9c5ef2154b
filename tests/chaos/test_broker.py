"""D-5, the rest: the broker stopped for a while, half-open, resetting; with `--full` only.

Killed and emptied: tests/acceptance/test_production_faults.py. Here every byte between our
processes and Redis goes through a proxy.
"""

import os
import signal
import threading
import time

import pytest

from jobs.job import EventKind
from tests.chaos.proxy import Fault, FaultProxy, Kind
from tests.chaos.small_studies import write_small_study
from tests.chaos.system import production

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1200)]

N_STUDIES = 20
TROUBLE_S = 30.0
LIMIT_S = 300


@pytest.fixture
def through_a_proxy(full, tmp_path, pacs, database):
    if not full:
        pytest.skip("the long form only: --full")
    made = production(tmp_path / "osteon", pacs, database, ("node-a", "worker-1"))
    with FaultProxy(made.service.redis.port) as proxy:
        address = made.service.redis.address.replace(str(made.service.redis.port), str(proxy.port))
        made.service.environment["OSTEON_QUEUE__BROKER_URL"] = address
        with made:
            yield made, proxy
    made.service.redis.kill()


def send_all(system, folder):
    for number in range(N_STUDIES):
        study = write_small_study(folder / str(number), 3)
        system.sender().send_all(study.paths, study.uid)
        time.sleep(TROUBLE_S / N_STUDIES)


def assert_each_was_done_once(system):
    system.assert_all_hold(LIMIT_S)
    with system.store() as store:
        for job in store.jobs(limit=1000):
            kinds = [event.kind for event in store.events(job.id)]
            assert kinds.count(EventKind.DELIVERED) == 1


@pytest.mark.parametrize("kind", [Kind.HALF_OPEN, Kind.RESET, Kind.DELAY])
def test_studies_go_through_a_broker_that_is_badly_connected(through_a_proxy, kind, tmp_path):
    system, proxy = through_a_proxy
    sending = threading.Thread(target=send_all, args=(system, tmp_path))
    sending.start()
    proxy.fault = Fault(kind, seconds=0.2)
    time.sleep(TROUBLE_S)
    proxy.fault = Fault()
    sending.join()
    assert_each_was_done_once(system)


def test_studies_go_through_a_broker_that_is_stopped_for_a_while(through_a_proxy, tmp_path):
    system, _ = through_a_proxy
    sending = threading.Thread(target=send_all, args=(system, tmp_path))
    sending.start()
    os.kill(system.service.redis.pid, signal.SIGSTOP)
    time.sleep(2 * TROUBLE_S)
    os.kill(system.service.redis.pid, signal.SIGCONT)
    sending.join()
    assert_each_was_done_once(system)
