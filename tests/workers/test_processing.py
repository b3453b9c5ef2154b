import hashlib
from dataclasses import replace
from types import SimpleNamespace

import pytest

from dicom_node.receive import Receiver, ReceiverSettings
from dicom_node.spool import Spool
from dicom_objects.errors import NoUsableDiffusion
from dicom_objects.reading.records import SeriesRecord
from imaging.errors import UnusableImages
from jobs.job import EventKind, Failure, JobState, Stage
from jobs.result import DeliveryStatus, ResultFile
from tests.workers.dicom_files import SEG, SR, write_object
from workers import processing
from workers.configuration import DeliveryRule, Destination
from workers.processing import Processing

AWAY = Failure("X", "taken away by the test")
RECORD = SeriesRecord(
    "2.25.101", 7, "t2", "not diffusion", (), "", 3, None, False, "NO_DIFFUSION", "no b-value."
)


class FakePipeline:
    """Writes a SEG and an SR, or raises."""

    def __init__(self, error=None):
        self.error = error
        self.runs = []

    def run(self, paths, folder, run, recorder):
        self.runs.append((tuple(paths), run))
        with recorder.stage(Stage.READ):
            recorder.saw((RECORD,))
            if self.error is not None:
                raise self.error
        files = []
        for number, (kind, sop_class) in enumerate((("sr", SR), ("seg", SEG)), start=1):
            path = write_object(folder / f"{kind}.dcm", sop_class, f"2.25.90{number}")
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            files.append(
                ResultFile(
                    kind,
                    path.name,
                    "application/dicom",
                    path.name,
                    digest,
                    sop_class,
                    f"2.25.90{number}",
                    "2.25.900",
                )
            )
        return SimpleNamespace(findings=None, files=tuple(files))


@pytest.fixture(autouse=True)
def plain_summary(monkeypatch):
    monkeypatch.setattr(processing, "summarise", lambda _findings: {"tdv_ml": 1.0})


@pytest.fixture
def pacs(tmp_path):
    """A destination over a real socket, and what it received in order."""
    received = []
    spool = Spool(tmp_path / "pacs", floor_bytes=0)
    receiver = Receiver(ReceiverSettings(ae_title="PACS", port=0), spool, received.append)
    with spool.claim():
        receiver.start()
        yield SimpleNamespace(receiver=receiver, received=received, spool=spool)
        receiver.stop()


def processes(store, configuration, pipeline, *ports):
    destinations = tuple(Destination(f"pacs{n}", "PACS", "127.0.0.1", p) for n, p in ports)
    rule = DeliveryRule(back_off_s=(0.01,))
    told = replace(configuration, destinations=destinations, delivery=rule)
    return Processing(store, told, lambda: pipeline)


def again(store, job):
    """Claim the job again as if its delay were over."""
    import time  # noqa: PLC0415

    for _ in range(100):
        claimed = store.claim("again", 30.0)
        if claimed is not None:
            return claimed
        time.sleep(0.05)
    raise AssertionError(store.job(job.id))


def test_a_job_is_measured_kept_sent_and_delivered(store, configuration, claimed, pacs):
    pipeline = FakePipeline()
    work = processes(store, configuration, pipeline, (1, pacs.receiver.port))
    work.process(claimed)
    assert store.job(claimed.id).state is JobState.DELIVERED
    # The report refers to the SEG, so it goes last although it was kept first.
    assert [i.sop_class_uid for i in pacs.received] == [SEG, SR]
    assert {d.status for d in store.deliveries(claimed.id)} == {DeliveryStatus.SENT_ONLY}
    kinds = [event.kind for event in store.events(claimed.id)]
    assert kinds.index(EventKind.RESULTS_KEPT) < kinds.index(EventKind.SENT)
    assert set(store.stage_seconds(claimed.id)) == {"read", "deliver"}


def test_the_bytes_that_arrive_are_those_that_were_kept(store, configuration, claimed, pacs):
    processes(store, configuration, FakePipeline(), (1, pacs.receiver.port)).process(claimed)
    for result in store.results(claimed.id):
        kept = (configuration.results_dir / result.path).read_bytes()
        assert hashlib.sha256(kept).hexdigest() == result.sha256
        sent = next(i for i in pacs.received if i.sop_instance_uid == result.sop_instance_uid)
        assert kept.endswith(pacs.spool.path(sent).read_bytes()[-sent.size :])


def test_the_pipeline_is_told_the_files_and_the_identity_of_the_run(store, configuration, claimed):
    pipeline = FakePipeline()
    processes(store, configuration, pipeline).process(claimed)
    [(paths, run)] = pipeline.runs
    assert paths == (configuration.spool_dir / "studies/aa/bb.dcm",)
    assert (run.run_id, run.at) == (claimed.id, claimed.created_at)
    assert run.input_digest == claimed.input_digest


def test_a_destination_that_is_away_is_tried_again_with_the_same_bytes(
    store, configuration, claimed, pacs
):
    pipeline = FakePipeline()
    processes(store, configuration, pipeline, (1, 1)).process(claimed)
    job = store.job(claimed.id)
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)  # waiting costs no attempt
    assert job.failure is not None
    assert job.failure.code == "PEER_UNAVAILABLE"
    kept = store.results(claimed.id)

    work = processes(store, configuration, pipeline, (1, pacs.receiver.port))
    work.process(again(store, job))
    assert store.job(claimed.id).state is JobState.DELIVERED
    assert len(pipeline.runs) == 1
    assert store.results(claimed.id) == kept


def test_what_is_sent_again_is_the_same_bytes_and_goes_to_whom_was_named(
    store, configuration, claimed, pacs
):
    pipeline = FakePipeline()
    work = processes(store, configuration, pipeline, (1, pacs.receiver.port))
    work.process(claimed)
    first = {i.sop_instance_uid: pacs.spool.path(i).read_bytes() for i in pacs.received}
    for instance in pacs.received:  # the PACS lost them
        pacs.spool.path(instance).unlink()
    pacs.received.clear()
    store.send_again(claimed.id, ["another"])
    work.process(again(store, claimed))
    assert pacs.received == []  # pacs1 was not named, and has them as far as is known
    store.send_again(claimed.id, ["pacs1"])
    work.process(again(store, claimed))
    second = {i.sop_instance_uid: pacs.spool.path(i).read_bytes() for i in pacs.received}
    assert second == first
    assert store.job(claimed.id).state is JobState.DELIVERED
    assert {d.attempts for d in store.deliveries(claimed.id)} == {2}
    assert len(pipeline.runs) == 1


def test_one_destination_that_is_away_does_not_keep_results_from_another(
    store, configuration, claimed, pacs
):
    ports = ((1, 1), (2, pacs.receiver.port))
    processes(store, configuration, FakePipeline(), *ports).process(claimed)
    assert store.job(claimed.id).state is JobState.QUEUED
    assert len(pacs.received) == 2
    retried = processes(store, configuration, FakePipeline(), *ports)
    retried.process(again(store, claimed))
    assert len(pacs.received) == 2  # what it has is not sent again


@pytest.mark.parametrize(
    "error",
    [
        NoUsableDiffusion("ONE_SHELL_ONLY", "only b 900", [RECORD]),
        UnusableImages("no body", code="NO_BODY"),
    ],
)
def test_a_study_that_cannot_be_measured_is_rejected_with_its_series(
    store, configuration, claimed, error
):
    processes(store, configuration, FakePipeline(error)).process(claimed)
    job = store.job(claimed.id)
    assert job.state is JobState.REJECTED
    assert job.failure is not None
    assert (job.failure.code, job.failure.stage) == (error.code, Stage.READ)
    summary = store.summary(claimed.id)
    assert summary is not None
    assert [series["code"] for series in summary["series"]] == ["NO_DIFFUSION"]


def test_a_defect_fails_the_job_at_once_and_leaves_no_files(store, configuration, claimed):
    processes(store, configuration, FakePipeline(ZeroDivisionError("x"))).process(claimed)
    job = store.job(claimed.id)
    assert job.state is JobState.FAILED
    assert job.failure is not None
    assert job.failure.code == "INTERNAL"
    assert list(configuration.results_dir.iterdir()) == []


def test_a_job_that_was_taken_away_writes_nothing(store, configuration, claimed, pacs):
    store.hand_back(claimed)
    other = store.claim("another", 60.0)
    pipeline = FakePipeline()
    processes(store, configuration, pipeline, (1, pacs.receiver.port)).process(claimed)
    job = store.job(claimed.id)
    assert (job.state, job.fence) == (JobState.RUNNING, other.fence)
    assert store.results(claimed.id) == ()
    assert pacs.received == []


def test_files_of_a_worker_that_came_too_late_are_removed(store, configuration, claimed):
    class Late(FakePipeline):
        """Is overtaken when everything is measured."""

        def run(self, paths, folder, run, recorder):
            outcome = super().run(paths, folder, run, recorder)
            store.retry(claimed, AWAY, 0.0)
            taken.append(store.claim("another", 30.0))
            return outcome

    taken = []
    processes(store, configuration, Late()).process(claimed)
    assert list(configuration.results_dir.iterdir()) == []
    (other,) = taken
    # What one leaves that is killed before it can tidy up goes with the next attempt.
    left = configuration.results_dir / f"{claimed.id}-{claimed.fence}"
    left.mkdir()
    processes(store, configuration, FakePipeline()).process(other)
    assert store.job(claimed.id).state is JobState.DELIVERED
    (folder,) = configuration.results_dir.iterdir()
    assert folder.name == f"{claimed.id}-{other.fence}"
    assert {r.path.split("/")[0] for r in store.results(claimed.id)} == {folder.name}


def test_nothing_more_is_sent_of_a_job_that_newer_images_replaced(
    store, configuration, claimed, tmp_path
):
    """The late image is taken in while the first of two objects is on its way."""
    received = []

    def replaced(instance):
        received.append(instance)
        late = replace(store.instances(claimed.study_uid)[0], sop_instance_uid="2.25.103")
        store.record_instances([late])
        store.open_revision(claimed.study_uid, "b" * 64)

    spool = Spool(tmp_path / "pacs", floor_bytes=0)
    receiver = Receiver(ReceiverSettings(ae_title="PACS", port=0), spool, replaced)
    with spool.claim():
        receiver.start()
        processes(store, configuration, FakePipeline(), (1, receiver.port)).process(claimed)
        receiver.stop()
    assert [instance.sop_class_uid for instance in received] == [SEG]
    job = store.job(claimed.id)
    assert (job.state, job.failure.code) == (JobState.REJECTED, "SUPERSEDED")
    newer = store.claim("another", 60.0)
    assert newer.revision == 2


def test_the_run_is_interrupted_by_what_is_no_error(store, configuration, claimed):
    with pytest.raises(KeyboardInterrupt):
        processes(store, configuration, FakePipeline(KeyboardInterrupt())).process(claimed)
    assert store.job(claimed.id).state is JobState.RUNNING


def test_delays_grow_and_then_stay():
    from workers.failures import back_off_s  # noqa: PLC0415

    assert [back_off_s(n) for n in (1, 2, 3, 4, 5, 99)] == [10, 30, 120, 600, 1800, 1800]
