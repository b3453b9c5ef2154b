"""What the door tells, heard while real peers (DCMTK) are at it."""

from contextlib import contextmanager

import pytest
from pynetdicom import AE

from dicom_node.arrival import OUT_OF_RESOURCES
from dicom_node.receive import Receiver, ReceiverSettings
from dicom_node.spool import Outcome, Spool
from dicom_node.vitals import (
    AssociationAccepted,
    AssociationRejected,
    InstanceRefused,
    InstanceStored,
)


@pytest.fixture
def heard():
    return []


@contextmanager
def listening(spool, heard, **settings):
    receiver = Receiver(ReceiverSettings(port=0, **settings), spool, lambda _: None)
    receiver.listener = heard.append
    with spool.claim():
        receiver.start()
        try:
            yield receiver
        finally:
            receiver.stop()


def of(kind, heard):
    return [vital for vital in heard if isinstance(vital, kind)]


def test_each_object_is_told_with_what_came_of_it_its_size_and_its_time(
    tmp_path, instances, storescu, heard
):
    spool = Spool(tmp_path / "spool", floor_bytes=0)
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    changed = instances.write_file(instances.mr_image(ImageComments="x"), tmp_path / "other")
    with listening(spool, heard) as receiver:
        for file in (path, path, changed):
            storescu(receiver.port, file)
    stored = of(InstanceStored, heard)
    assert [vital.outcome for vital in stored] == [
        Outcome.NEW,
        Outcome.DUPLICATE,
        Outcome.CONFLICT,
    ]
    assert stored[0].size_bytes == len(instances.data_set_bytes(path))
    assert all(0 < vital.synced_s <= vital.seconds for vital in stored)
    assert len(of(AssociationAccepted, heard)) == 3


def test_an_object_that_is_not_taken_is_told_with_code_and_status(tmp_path, instances, heard):
    spool = Spool(tmp_path / "spool", floor_bytes=0)
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    entity = AE()
    entity.add_requested_context("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.1.2.1")
    with listening(spool, heard) as receiver:
        association = entity.associate("127.0.0.1", receiver.port, ae_title="OSTEON")
        spool._floor_bytes = 2**62
        association.send_c_store(path)
        association.release()
    assert of(InstanceRefused, heard) == [InstanceRefused("SPOOL_FULL", OUT_OF_RESOURCES)]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"ae_title": "SOMEBODY"}, "called_ae_title"),
        ({"calling_ae_titles": ("FRIEND",)}, "calling_ae_title"),
    ],
)
def test_a_peer_that_is_turned_away_is_told_with_the_reason_and_not_its_name(
    tmp_path, instances, storescu, heard, settings, reason
):
    spool = Spool(tmp_path / "spool", floor_bytes=0)
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    with listening(spool, heard, **settings) as receiver:
        storescu(receiver.port, path)
    assert heard == [AssociationRejected(reason)]


def test_a_peer_too_many_is_told_and_open_ones_are_counted(tmp_path, instances, storescu, heard):
    spool = Spool(tmp_path / "spool", floor_bytes=0)
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    entity = AE()
    entity.add_requested_context("1.2.840.10008.1.1")
    with listening(spool, heard, maximum_associations=1) as receiver:
        held = entity.associate("127.0.0.1", receiver.port, ae_title="OSTEON")
        assert held.is_established
        assert receiver.open_associations == 1
        storescu(receiver.port, path)
        assert heard == [AssociationAccepted(), AssociationRejected("too_many")]
        held.release()
        assert instances.until(lambda: receiver.open_associations == 0)
