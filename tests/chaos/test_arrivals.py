"""D-18: what senders do to a study: again, late, in any order, in halves, and with other bytes.

Halves through two nodes: tests/acceptance/test_production_faults.py. A study of two patients:
tests/dicom_objects/reading/test_diffusion.py.
"""

import random
import threading

import pytest

from jobs.job import JobState
from jobs.store import JobStore
from tests.chaos.small_studies import write_image, write_small_study
from tests.chaos.vitals import VitalsWatch

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

SUCCESS, KEPT_THE_FIRST = 0x0000, 0xB000
LIMIT_S = 120


def jobs(system, study):
    with JobStore(system.database) as store:
        return sorted(store.jobs(study_uid=study.uid), key=lambda job: job.revision)


def node_of(system):
    return system.pid(system.names[0])


def images(system, study, revision):
    with JobStore(system.database) as store:
        return len(store.instances(study.uid, revision))


def test_a_study_that_comes_five_times_is_measured_once(system, tmp_path):
    study = write_small_study(tmp_path, 6)
    sender = system.sender()
    sender.send_all(study.paths, study.uid)
    system.settle(LIMIT_S)
    watch = VitalsWatch(node_of(system))
    for _ in range(4):
        sender.send_all(study.paths, study.uid)
        system.settle(LIMIT_S)
    assert [job.revision for job in jobs(system, study)] == [1]
    system.assert_all_hold(LIMIT_S, vitals=watch)


def test_late_images_make_one_more_revision_of_all(system, tmp_path):
    study = write_small_study(tmp_path, 16)
    sender = system.sender()
    sender.send_all(study.paths[:6], study.uid)
    system.settle(LIMIT_S)
    sender.send_all(study.paths[6:], study.uid)
    system.assert_all_hold(LIMIT_S)
    assert [(job.revision, job.state) for job in jobs(system, study)] == [
        (1, JobState.DELIVERED),
        (2, JobState.DELIVERED),
    ]
    assert images(system, study, 2) == 16


def test_images_in_random_order_over_four_associations_are_one_study(system, tmp_path):
    study = write_small_study(tmp_path, 12, n_series=2)
    paths = list(study.paths)
    random.Random(7).shuffle(paths)
    senders = [
        threading.Thread(target=system.sender().send_all, args=(paths[n::4], study.uid))
        for n in range(4)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    system.assert_all_hold(LIMIT_S)
    assert {job.state for job in jobs(system, study)} == {JobState.DELIVERED}
    assert images(system, study, jobs(system, study)[-1].revision) == 24


def test_other_bytes_under_a_known_uid_are_set_aside(system, tmp_path):
    study = write_small_study(tmp_path / "study", 4)
    sender = system.sender()
    sender.send_all(study.paths, study.uid)
    system.settle(LIMIT_S)
    other = write_image(tmp_path / "other", study, 2, PatientID="SOMEBODY ELSE")
    assert sender.offer(other, study.uid) == KEPT_THE_FIRST
    assert sender.offer(study.paths[1], study.uid) == SUCCESS
    system.assert_all_hold(LIMIT_S)
    assert [job.revision for job in jobs(system, study)] == [1]
