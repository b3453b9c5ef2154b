"""D-9: the disk of the spool, of the results, or of the database is full.

Every refused object hears 0xA700, no file is cut short, and with space everything goes on by
itself. The senders' and the spool's own limits stand in tests/dicom_node/test_spool.py.
"""

from collections import Counter

import pytest

from jobs.job import EventKind
from tests.acceptance.peers import wait_for
from tests.chaos import disks, invariants
from tests.chaos.ledger import assert_all_hold
from tests.chaos.small_studies import write_small_study
from tests.chaos.system import embedded

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

OUT_OF_RESOURCES = 0xA700
SUCCESS = 0x0000
LIMIT_S = 120


@pytest.fixture(scope="module")
def spaces(place):
    """A small disk each for the spool, the results and the database."""
    disks.need_mounts()
    data = place / "data"
    with (
        disks.small_disk(data, 32) as database,
        disks.small_disk(data / "spool", 6) as spool,
        disks.small_disk(data / "results", 6) as results,
    ):
        yield {"database": database, "spool": spool, "results": results}


@pytest.fixture(scope="module")
def running(place, spaces, pacs):
    data = spaces["database"]
    with embedded(place / "osteon", pacs, OSTEON_DATA_DIR=str(data)) as system:
        yield system


def test_a_full_spool_refuses_by_its_status_and_takes_images_again(running, spaces, tmp_path):
    system, sender = running, running.sender()
    study = write_small_study(tmp_path / "study", 40, size=256)
    with disks.filled(spaces["spool"], 1_000_000):
        for path in study.paths:
            assert sender.offer(path, study.uid) in (SUCCESS, OUT_OF_RESOURCES)
    told = Counter(system.acknowledged.statuses())
    assert told[SUCCESS] >= 3
    assert told[OUT_OF_RESOURCES] >= 30
    assert_none_was_cut_short(system, told[SUCCESS])
    sender.send_all(study.paths, study.uid)
    system.assert_all_hold(LIMIT_S)


def assert_none_was_cut_short(system, taken):
    spool = system.data / "spool"
    assert list(invariants.lost(system.acknowledged.promised(), spool)) == []
    assert len(list((spool / "studies").rglob("*.dcm"))) == taken
    assert [p for p in (spool / "incoming").rglob("*") if p.is_file()] == []


def test_a_job_waits_until_its_results_have_space(running, spaces, tmp_path):
    system = running
    study = write_small_study(tmp_path / "study", 3)
    with disks.filled(spaces["results"], 0), system.store() as store:
        system.sender().send_all(study.paths, study.uid)

        def codes():
            return [
                event.data["code"]
                for job in store.jobs(study_uid=study.uid)
                for event in store.events(job.id)
                if event.kind is EventKind.RETRY
            ]

        wait_for("a second try", lambda: len(codes()) >= 2, LIMIT_S)
        assert set(codes()) == {"DISK_FULL"}
    system.assert_all_hold(LIMIT_S)


def test_a_full_database_keeps_nobody_from_sending(running, spaces, tmp_path):
    system = running
    first, second = (write_small_study(tmp_path / name, 6) for name in ("first", "second"))
    system.sender().send_all(first.paths, first.uid)
    system.settle(LIMIT_S)
    with disks.filled(spaces["database"], 0):
        system.sender().send_all(second.paths, second.uid)
        assert set(system.acknowledged.statuses()[-6:]) == {SUCCESS}
        log = system.folder / "node.log"
        wait_for("the node's word", lambda: '"store_away"' in log.read_text(), LIMIT_S)
    system.settle(LIMIT_S)
    assert_all_hold(system.scene())
