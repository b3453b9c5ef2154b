"""C-GET and C-MOVE against a peer of pynetdicom that answers as a test tells it to."""

import threading
from contextlib import contextmanager

import pytest
from pydicom import dcmread
from pynetdicom import AE, build_context, evt

from dicom_node.errors import InvalidUid, PeerUnavailable, RetrieveRefused, SpoolFull
from dicom_node.network import Timeouts
from dicom_node.peer import Peer
from dicom_node.retrieve import (
    STUDY_ROOT_GET,
    STUDY_ROOT_MOVE,
    Patience,
    SeriesPlace,
    get,
    move,
)

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
PLACE = SeriesPlace("1.2.3.10", "1.2.3.10.1")
SLOW = Timeouts(connect_s=60, negotiate_s=60)  # a test machine may be busy


@contextmanager
def serving(handlers, classes=(STUDY_ROOT_GET, STUDY_ROOT_MOVE), roles=True):
    entity = AE("ARCHIVE")
    for uid in classes:
        entity.add_supported_context(uid, [EXPLICIT, IMPLICIT])
    entity.add_supported_context(MR, [EXPLICIT], scu_role=roles or None, scp_role=roles or None)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        yield Peer("ARCHIVE", "127.0.0.1", server.server_address[1], timeouts=SLOW)
    finally:
        server.shutdown()


def giving(images, final=None):
    """A C-GET handler that sends these images, and then perhaps a last status."""

    def answer(event):
        yield len(images)
        for image in images:
            if event.is_cancelled:
                yield 0xFE00, None
                return
            yield 0xFF00, image
        if final is not None:
            yield final, None

    return [(evt.EVT_C_GET, answer)]


@pytest.fixture
def patience():
    return Patience(threading.Event())


@pytest.fixture
def image(instances, tmp_path):
    """Images as an archive has them: written to a file and read again."""

    def make(number, **values):
        return dcmread(instances.write_file(instances.mr_image(number, **values), tmp_path / "in"))

    return make


def test_what_c_get_brings_is_kept_byte_for_byte(image, instances, patience):
    kept = []
    images = [image(n) for n in (1, 2, 3)]
    with serving(giving(images)) as peer:
        found = get(peer, PLACE, lambda header, data: kept.append((header, data)), patience)
    assert (found.completed, found.failed, found.whole) == (3, 0, True)
    assert [header.sop_instance_uid for header, _ in kept] == [i.SOPInstanceUID for i in images]
    assert {header.study_uid for header, _ in kept} == {"1.2.3.10"}
    assert [data for _, data in kept] == [instances.data_set_bytes(i.filename) for i in images]


def test_the_archive_is_asked_for_the_series_alone(patience):
    asked = []

    def answer(event):
        asked.append(event.identifier)
        yield 0

    with serving([(evt.EVT_C_GET, answer)]) as peer:
        get(peer, PLACE, lambda *_: None, patience)
        with pytest.raises(InvalidUid):
            get(peer, SeriesPlace("1.2.3.10", "*"), lambda *_: None, patience)
    (question,) = asked
    assert question.QueryRetrieveLevel == "SERIES"
    assert (question.StudyInstanceUID, question.SeriesInstanceUID) == ("1.2.3.10", "1.2.3.10.1")


def test_an_object_that_cannot_be_kept_ends_the_retrieval(image, patience):
    kept = []

    def keep(header, _data):
        if kept:
            raise SpoolFull("no space")
        kept.append(header)

    with serving(giving([image(n) for n in range(1, 20)])) as peer, pytest.raises(SpoolFull):
        get(peer, PLACE, keep, patience)
    assert len(kept) == 1


def test_an_object_that_cannot_be_understood_is_refused_and_counted(image, patience):
    kept, broken = [], image(3)
    del broken.StudyInstanceUID
    with serving(giving([image(1), broken])) as peer:
        found = get(peer, PLACE, lambda header, _: kept.append(header), patience)
    assert (found.completed, found.failed, found.whole) == (1, 1, False)
    assert [header.sop_instance_uid for header in kept] == ["1.2.3.10.1.1"]


def test_a_stop_ends_a_retrieval(image, patience):
    def keep(_header, _data):
        patience.stop.set()

    with (
        serving(giving([image(n) for n in range(1, 30)])) as peer,
        pytest.raises(PeerUnavailable),
    ):
        get(peer, PLACE, keep, patience)


def test_without_c_get_or_the_role_it_is_refused(patience):
    with serving([], classes=[STUDY_ROOT_MOVE]) as peer, pytest.raises(RetrieveRefused):
        get(peer, PLACE, lambda *_: None, patience)
    with serving([], roles=False) as peer, pytest.raises(RetrieveRefused, match="role"):
        get(peer, PLACE, lambda *_: None, patience)


def test_failures_of_the_archive_are_told_by_their_status(patience):
    def failing(status):
        def answer(_event):
            yield 1
            yield status, None

        return [(evt.EVT_C_GET, answer)]

    with serving(failing(0xA702)) as peer, pytest.raises(PeerUnavailable, match="0xA702"):
        get(peer, PLACE, lambda *_: None, patience)
    with serving(failing(0xC001)) as peer, pytest.raises(RetrieveRefused, match="0xC001"):
        get(peer, PLACE, lambda *_: None, patience)


def test_c_move_brings_objects_to_the_node(image, spool, receiving, patience):
    arrived = []

    with receiving(arrived.append) as node:

        def answer(event):
            assert event.move_destination == "OSTEON"
            yield "127.0.0.1", node.port, {"contexts": [build_context(MR)]}
            yield 2
            yield 0xFF00, image(1)
            yield 0xFF00, image(2)

        with serving([(evt.EVT_C_MOVE, answer)]) as peer:
            found = move(peer, PLACE, "OSTEON", patience)
    assert (found.completed, found.failed, found.whole) == (2, 0, True)
    assert sorted(one.sop_instance_uid for one in arrived) == ["1.2.3.10.1.1", "1.2.3.10.1.2"]
    assert all((spool.root / one.path).is_file() for one in arrived)


def test_an_archive_that_does_not_know_us_refuses_to_move(patience):
    def answer(_event):
        yield None, None

    with (
        serving([(evt.EVT_C_MOVE, answer)]) as peer,
        pytest.raises(RetrieveRefused, match="0xA801"),
    ):
        move(peer, PLACE, "OSTEON", patience)
