"""Any order of arrival, over any associations, with any pauses: the same study in the end."""

import contextlib
import hashlib
import random
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from dicom_node.completion import ContentFirst
from dicom_node.content import Verdict
from dicom_node.node import Node
from dicom_node.receive import ReceiverSettings
from dicom_node.send import Peer, send
from dicom_node.spool import Spool
from dicom_objects.reading.completeness import WholeBody, judge_completeness
from dicom_objects.reading.diffusion import read_study
from dicom_objects.reading.headers import read_headers
from jobs.job import JobState
from jobs.migrate import upgrade
from jobs.store import JobStore
from tests.dicom_objects.reading.small_bodies import (
    COVERAGE_MM,
    STUDY_UID,
    plain_image,
    whole_body,
    write_images,
)

RULE = ContentFirst(settle_s=0.05, quiet_s=0.4, deadline_s=60)


class Bell:
    def submit(self, job_id):
        pass


class Look:
    """The real rule without its child process."""

    def __call__(self, content):
        frames, _ = read_headers(content.paths)
        found = judge_completeness(frames, WholeBody(COVERAGE_MM), content.late)
        return Verdict(found.complete, found.sentence)

    def close(self):
        pass


@pytest.fixture
def store(tmp_path):
    url = f"sqlite:///{tmp_path}/osteon.db"
    upgrade(url)
    with JobStore(url) as opened:
        yield opened


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    every = [*whole_body(), *(plain_image(n) for n in range(3))]
    return write_images(every, tmp_path_factory.mktemp("images"))


@pytest.fixture
def whole(images, instances):
    """The files, and what is known of them without the node: their digest and their reading."""
    lines = sorted(
        f"{path.stem} {hashlib.sha256(instances.data_set_bytes(path)).hexdigest()}\n"
        for path in images
    )
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    return SimpleNamespace(images=images, digest=digest, study=read_study(images))


@contextlib.contextmanager
def running(spool, store, rule=RULE):
    node = Node(ReceiverSettings(port=0), spool, store, Bell(), rule, Look())
    stop = threading.Event()
    thread = threading.Thread(target=node.run, args=(stop,), daemon=True)
    thread.start()
    try:
        assert node.started.wait(10)
        yield Peer("OSTEON", "127.0.0.1", node.port)
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def batches(images, chance):
    """The files in a random order, cut at random places; some are sent twice."""
    order = [*images, *chance.sample(images, 3)]
    chance.shuffle(order)
    cuts = sorted(chance.sample(range(1, len(order)), chance.randint(1, 4)))
    return [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]


def arrive(peer, parts, chance):
    """Send the parts, some at once, with pauses in which a study may or may not be closed."""
    with ThreadPoolExecutor(2) as pool:
        sent = []
        for part in parts:
            sent.append(pool.submit(send, peer, part))
            if chance.random() < 0.7:
                sent[-1].result()
                time.sleep(chance.choice([0, 0.2, 0.7]))
        assert all(outcome.ok for one in sent for outcome in one.result())


def settled(store, n):
    """Nothing waits and the newest revision has all images."""
    return (
        not store.open_studies()
        and (jobs := store.jobs(study_uid=STUDY_UID))
        and len(store.instances(STUDY_UID, jobs[0].revision)) == n
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_last_revision_is_the_same_in_any_order(seed, spool, store, whole, instances, tmp_path):
    images, chance = whole.images, random.Random(seed)
    with running(spool, store) as peer:
        arrive(peer, batches(images, chance), chance)
        assert instances.until(lambda: settled(store, len(images)))
    newest, *older = store.jobs(study_uid=STUDY_UID)
    assert newest.revision == len(older) + 1 == store.study(STUDY_UID).revision
    assert newest.input_digest == whole.digest
    assert newest.state is JobState.QUEUED
    assert {job.state for job in older} <= {JobState.REJECTED}
    assert {job.failure.code for job in older} <= {"SUPERSEDED"}
    paths = [spool.path(i) for i in store.instances(STUDY_UID, newest.revision)]
    same_reading(read_study(paths), whole.study)
    same_reading(read_study(renamed(paths, tmp_path / "renamed", chance)), whole.study)


def renamed(paths, folder, chance):
    """Copies under meaningless names, so that neither order nor names agree."""
    folder.mkdir()
    names = chance.sample(range(1000), len(paths))
    return [shutil.copy(path, folder / f"{n}") for path, n in zip(paths, names, strict=True)]


def same_reading(found, expected):
    assert found.series == expected.series
    assert len(found.stations) == len(expected.stations)
    for one, other in zip(found.stations, expected.stations, strict=True):
        assert one.name == other.name
        assert one.volume.geometry.matches(other.volume.geometry, 0.0)
        assert list(one.volume.images) == list(other.volume.images)
        for b, image in one.volume.images.items():
            np.testing.assert_array_equal(image, other.volume.images[b])


def test_two_studies_that_arrive_together_are_two_revisions(spool, store, instances, tmp_path):
    uids = ("2.25.81", "2.25.82")
    bodies = [write_images(whole_body(study_uid=u), tmp_path / u) for u in uids]
    mixed = [path for pair in zip(*bodies, strict=True) for path in pair]
    with running(spool, store) as peer:
        send(peer, mixed)
        assert instances.until(lambda: len(store.jobs()) == 2)
    assert {(job.study_uid, job.revision) for job in store.jobs()} == {(u, 1) for u in uids}
    assert all(store.study(u).n_instances == len(bodies[0]) for u in uids)


def test_a_body_that_dcmtk_sends_in_three_associations_is_one_revision(
    spool, store, whole, storescu, instances
):
    with running(spool, store, replace(RULE, quiet_s=60)) as peer:
        for start in range(3):
            status, said = storescu(peer.port, *whole.images[start::3])
            assert status == 0, said
        assert instances.until(lambda: settled(store, len(whole.images)))
    (job,) = store.jobs()
    assert (job.revision, job.input_digest) == (1, whole.digest)


def test_a_node_that_was_stopped_between_ends_the_same(spool, store, whole, instances):
    images, chance = whole.images, random.Random(11)
    order = chance.sample(images, len(images))
    for part in (order[:9], order[9:20], order[20:]):
        with running(Spool(spool.root, floor_bytes=0), store) as peer:
            send(peer, part)
    with running(spool, store):
        assert instances.until(lambda: settled(store, len(images)))
    assert store.jobs()[0].input_digest == whole.digest
