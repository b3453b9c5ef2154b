"""Earlier studies on their way from an archive of pynetdicom into the spool and the record."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, build_context, evt

from dicom_node.fetcher import MOST_ATTEMPTS, Fetcher
from dicom_node.fetching import Archive, Here, IncompleteRetrieval, fetch_study
from dicom_node.header import read_header
from dicom_node.network import Timeouts
from dicom_node.peer import Peer
from dicom_node.query import STUDY_ROOT_FIND
from dicom_node.retrieve import STUDY_ROOT_GET, STUDY_ROOT_MOVE, Patience
from jobs.migrate import upgrade
from jobs.prior import PriorState, WantedPrior
from jobs.store import JobStore

MR = "1.2.840.10008.5.1.4.1.1.4"
OLD, NOW = "1.2.3.10", "1.2.3.99"
SLOW = Timeouts(connect_s=60, negotiate_s=60)


class Shelf:
    """An archive with two MR series and a report; says and gives what a test tells it to."""

    def __init__(self, images):
        self.images = {image.SOPInstanceUID: image for image in images}
        self.missing = set()  # not given, but counted
        self.asked = []  # ways of retrieval
        self.refuses = set()
        self.moves_to = None
        self.counts = True

    def serve(self):
        entity = AE("ARCHIVE")
        for uid in (STUDY_ROOT_FIND, STUDY_ROOT_GET, STUDY_ROOT_MOVE):
            entity.add_supported_context(uid)
        entity.add_supported_context(MR, scu_role=True, scp_role=True)
        handlers = [
            (evt.EVT_C_FIND, self._find),
            (evt.EVT_C_GET, self._get),
            (evt.EVT_C_MOVE, self._move),
        ]
        return entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)

    def _of(self, series):
        return [image for image in self.images.values() if image.SeriesInstanceUID == series]

    def _find(self, event):
        asked = event.identifier
        if asked.QueryRetrieveLevel == "IMAGE":
            for image in self._of(asked.SeriesInstanceUID):
                answer = Dataset()
                answer.SOPInstanceUID = image.SOPInstanceUID
                yield 0xFF00, answer
            return
        for series in sorted({image.SeriesInstanceUID for image in self.images.values()}):
            answer = Dataset()
            answer.SeriesInstanceUID = series
            answer.Modality = "MR"
            if self.counts:
                answer.NumberOfSeriesRelatedInstances = str(len(self._of(series)))
            yield 0xFF00, answer
        report = Dataset()
        report.SeriesInstanceUID = "1.2.3.10.77"
        report.Modality = "SR"
        yield 0xFF00, report

    def _given(self, event):
        found = self._of(event.identifier.SeriesInstanceUID)
        return [image for image in found if image.SOPInstanceUID not in self.missing]

    def _get(self, event):
        self.asked.append("get")
        if "get" in self.refuses:
            yield 1
            yield 0xC001, None
            return
        given = self._given(event)
        yield len(given)
        for image in given:
            yield 0xFF00, image

    def _move(self, event):
        self.asked.append("move")
        if "move" in self.refuses:
            yield None, None
            return
        given = self._given(event)
        yield "127.0.0.1", self.moves_to, {"contexts": [build_context(MR)]}
        yield len(given)
        for image in given:
            yield 0xFF00, image


@pytest.fixture
def shelf(instances, tmp_path):
    made = [
        instances.write_file(
            instances.mr_image(n, study=OLD, series=f"{OLD}.{series}"), tmp_path / "in"
        )
        for series in (1, 2)
        for n in (1, 2, 3)
    ]
    return Shelf([dcmread(path) for path in made])


@pytest.fixture
def archive(shelf):
    server = shelf.serve()
    peer = Peer("ARCHIVE", "127.0.0.1", server.server_address[1], timeouts=SLOW)
    yield Archive(peer, settle_s=0.5)
    server.shutdown()


class Clock:
    """Stands still until a test moves it."""

    now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    url = f"sqlite:///{tmp_path / 'osteon.sqlite'}"
    upgrade(url)
    with JobStore(url, clock) as opened:
        yield opened


@pytest.fixture
def here(store, spool):
    def keep(header, data_set):
        store.record_instances([spool.store(header, data_set).instance])

    return Here(keep, lambda: store.held_counts(OLD))


@pytest.fixture
def patience():
    return Patience(threading.Event())


def test_every_mr_series_is_fetched_and_counted(archive, shelf, here, patience):
    assert fetch_study(archive, OLD, here, patience) == 6
    assert here.counts() == {f"{OLD}.1": 3, f"{OLD}.2": 3}
    assert shelf.asked == ["get", "get"]
    fetch_study(archive, OLD, here, patience)
    assert shelf.asked == ["get", "get"]  # what is here is not fetched again


def test_images_are_counted_where_the_archive_does_not_say_how_many(archive, shelf, here, patience):
    shelf.counts = False
    assert fetch_study(archive, OLD, here, patience) == 6


def test_an_archive_that_gives_less_than_it_says_has_given_no_study(archive, shelf, here, patience):
    shelf.missing = {f"{OLD}.2.3"}
    with pytest.raises(IncompleteRetrieval, match="has 3 images, 2 of them came"):
        fetch_study(archive, OLD, here, patience)
    shelf.missing = set()
    assert fetch_study(archive, OLD, here, patience) == 6
    assert shelf.asked == ["get", "get", "get"]  # of the first series nothing was missing


@pytest.mark.parametrize("way", ["get", "move"])
def test_the_other_way_is_tried_where_one_is_refused(way, archive, shelf, store, spool, receiving):
    shelf.refuses = {way}
    with receiving(lambda instance: store.record_instances([instance])) as node:
        shelf.moves_to = node.port

        def keep(header, data_set):
            store.record_instances([spool.store(header, data_set).instance])

        here = Here(keep, lambda: store.held_counts(OLD))
        chosen, patience = replace(archive, way=way, settle_s=10), Patience(threading.Event())
        assert fetch_study(chosen, OLD, here, patience) == 6
    other = {"get": "move", "move": "get"}[way]
    assert shelf.asked == [way, other] * 2


@pytest.fixture
def errand(archive, spool, store, here, instances, tmp_path):
    """A study of now wants the earlier one; a fetcher that indexes what arrives."""
    path = instances.write_file(instances.mr_image(1, study=NOW, series=f"{NOW}.1"), tmp_path)
    data = instances.data_set_bytes(path)
    here.keep(read_header(data, ExplicitVRLittleEndian), data)
    store.open_revision(NOW, "now")
    job = store.claim("w", 60)
    store.begin_prior_search(job, 600)
    store.end_prior_search(job, wanted=[WantedPrior(OLD, "20250115")])
    arrived = []

    def arrive(instance):
        arrived.append(instance)
        store.record_instances([instance])

    return Fetcher(archive, spool, store, arrive, "node"), arrived


def state_of(store):
    (wish,) = store.wished_priors(NOW)
    return wish.state, wish.code


def test_an_errand_ends_with_a_study_that_is_closed_then(errand, store, spool):
    fetcher, arrived = errand
    assert fetcher.step(threading.Event())
    assert state_of(store) == (PriorState.FETCHED, None)
    assert len(arrived) == 7  # six images, and one again when all were here
    assert all((spool.root / one.path).is_file() for one in arrived)
    assert store.open_revision(OLD, "old").priority == -1
    assert not fetcher.step(threading.Event())
    (row,) = store.audit()
    assert (row.event, row.actor, row.study_uid) == ("instances_received", "ARCHIVE", OLD)
    assert row.detail.startswith("6 of ")


def test_an_errand_that_brought_less_is_tried_again_and_then_given_up(errand, store, shelf, clock):
    fetcher, _ = errand
    shelf.missing = {f"{OLD}.2.3"}
    fetcher.step(threading.Event())
    assert state_of(store) == (PriorState.WANTED, "PRIOR_INCOMPLETE")
    assert store.open_revision(OLD, "part") is None
    assert not fetcher.step(threading.Event())  # not at once
    for _ in range(MOST_ATTEMPTS - 1):
        clock.now += timedelta(hours=1)
        assert fetcher.step(threading.Event())
    assert state_of(store) == (PriorState.FAILED, "PRIOR_INCOMPLETE")


def test_an_archive_that_refuses_both_ways_is_not_asked_again(errand, store, shelf):
    fetcher, _ = errand
    shelf.refuses = {"get", "move"}
    fetcher.step(threading.Event())
    assert state_of(store) == (PriorState.FAILED, "RETRIEVE_REFUSED")
    assert shelf.asked == ["get", "move"]


def test_an_archive_that_is_away_is_asked_later(errand, store, archive):
    fetcher, _ = errand
    away = replace(archive, peer=replace(archive.peer, port=1))
    replace(fetcher, archive=away).step(threading.Event())
    assert state_of(store) == (PriorState.WANTED, "PEER_UNAVAILABLE")


def test_a_stop_leaves_the_errand_to_the_next_node(errand, store):
    fetcher, arrived = errand
    stop = threading.Event()
    stopping = replace(fetcher, arrive=lambda one: (arrived.append(one), stop.set()))
    stopping.step(stop)
    assert state_of(store)[0] is PriorState.WANTED
    assert len(arrived) < 6
