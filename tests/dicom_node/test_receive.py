import errno
import logging
import os
import re
import socket
import struct
import subprocess
import time

import pytest
from pydicom import dcmread
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import AE

from dicom_node.acceptor.limits import Limits
from dicom_node.spool import Spool

MR = "1.2.840.10008.5.1.4.1.1.4"


def spooled(spool):
    return sorted((spool.root / "studies").rglob("*.dcm"))


def test_what_dcmtk_sends_is_stored_byte_for_byte(receiving, storescu, spool, instances, tmp_path):
    for number, syntax in enumerate(("1.2.840.10008.1.2.1", ImplicitVRLittleEndian), 1):
        image = instances.mr_image(number)
        path = instances.write_file(image, tmp_path / "in", syntax)
        seen = []
        with receiving(seen.append) as receiver:
            option = "-xe" if number == 1 else "-xi"
            code, text = storescu(receiver.port, path, options=[option])
        assert code == 0, text
        (instance,) = seen
        stored = spool.path(instance)
        assert instances.data_set_bytes(stored) == instances.data_set_bytes(path)
        assert stored.read_bytes()[:128] == bytes(128)
        assert dcmread(stored).file_meta.TransferSyntaxUID == syntax
        assert instance.transfer_syntax_uid == syntax
        assert (instance.sop_class_uid, instance.series_uid) == (MR, "1.2.3.10.1")


def test_echo_of_dcmtk_is_answered(receiving):
    with receiving() as receiver:
        subprocess.run(
            ["/usr/bin/echoscu", "-aec", "OSTEON", "127.0.0.1", str(receiver.port)],
            check=True,
            timeout=20,
        )


def test_a_called_title_not_ours_is_rejected(receiving, storescu, spool, instances, tmp_path):
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    with receiving() as receiver:
        code, text = storescu(receiver.port, path, called="OTHER")
    assert code != 0
    assert "Called AE Title Not Recognized" in text
    assert spooled(spool) == []


def test_only_the_allowed_calling_titles_may_send(receiving, storescu, spool, instances, tmp_path):
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    with receiving(calling_ae_titles=("SCANNER",)) as receiver:
        stranger, text = storescu(receiver.port, path, calling="STRANGER")
        friend, _ = storescu(receiver.port, path, calling="SCANNER")
    assert stranger != 0
    assert "Calling AE Title Not Recognized" in text
    assert friend == 0
    assert len(spooled(spool)) == 1


def test_sent_again_it_is_stored_once_and_answered_with_success(
    receiving, storescu, spool, instances, tmp_path
):
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    with receiving() as receiver:
        for _ in range(3):
            code, text = storescu(receiver.port, path)
            assert code == 0
            assert "Success" in text
    assert len(spooled(spool)) == 1


def test_other_bytes_under_a_known_uid_are_set_aside_with_a_warning(
    receiving, storescu, spool, instances, tmp_path
):
    first = instances.write_file(instances.mr_image(), tmp_path / "a")
    second = instances.write_file(instances.mr_image(ImageComments="changed"), tmp_path / "b")
    seen = []
    with receiving(seen.append) as receiver:
        storescu(receiver.port, first)
        _, text = storescu(receiver.port, second)
        assert "CoercionOfDataElements" in text
    (kept,) = spooled(spool)
    (conflict,) = (spool.root / "conflicts").iterdir()
    assert instances.data_set_bytes(kept) == instances.data_set_bytes(first)
    assert instances.data_set_bytes(conflict) == instances.data_set_bytes(second)
    assert len(seen) == 1


def scu(port, *classes):
    entity = AE("TEST")
    for sop_class in classes or (MR,):
        entity.add_requested_context(sop_class, "1.2.840.10008.1.2.1")
    association = entity.associate("127.0.0.1", port, ae_title="OSTEON")
    assert association.is_established
    return association


@pytest.mark.parametrize("uid", ["../../../tmp/osteon-escaped", "1.2.3/../../x", "1..2", "1.02.3"])
@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
def test_a_uid_that_is_not_one_is_refused_and_makes_no_file(
    receiving, instances, keyword, uid, tmp_path
):
    image = instances.mr_image()
    path = instances.write_file(image, tmp_path / "in")
    image = dcmread(path)
    before = set(tmp_path.rglob("*"))
    with receiving() as receiver:
        setattr(image, keyword, uid)
        association = scu(receiver.port)
        assert association.send_c_store(image).Status == 0xC000
        assert association.send_c_store(path).Status == 0x0000  # the association goes on
        association.release()
    new = {p.name for p in set(tmp_path.rglob("*")) - before if p.is_file()}
    assert len(new) == 1
    assert re.fullmatch(r"[0-9a-f]{32}\.dcm", new.pop())


def test_a_data_set_of_another_object_than_announced_is_refused(
    receiving, spool, instances, tmp_path, monkeypatch
):
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    image = dcmread(path)
    with receiving() as receiver:
        association = scu(receiver.port)
        monkeypatch.setattr(
            "pynetdicom.association.encode",
            lambda *_: instances.data_set_bytes(path).replace(b"1.2.3.10.1.1", b"1.2.3.10.1.2"),
        )
        assert association.send_c_store(image).Status == 0xA900
        association.release()
    assert spooled(spool) == []


@pytest.mark.parametrize("garbage", [b"\x08\x00", b"garbage that is no data set", b"\xff" * 4000])
def test_bytes_that_are_no_data_set_are_not_understood(
    receiving, spool, instances, tmp_path, monkeypatch, garbage
):
    image = dcmread(instances.write_file(instances.mr_image(), tmp_path / "in"))
    with receiving() as receiver:
        association = scu(receiver.port)
        monkeypatch.setattr("pynetdicom.association.encode", lambda *_: garbage)
        assert association.send_c_store(image).Status == 0xC000
        association.release()
    assert spooled(spool) == []


def test_deflated_and_private_encodings_are_not_negotiated(receiving):
    entity = AE("TEST")
    entity.add_requested_context(MR, "1.2.840.10008.1.2.1.99")
    entity.add_requested_context("1.3.46.670589.11.0.0.12.1", "1.2.840.10008.1.2")
    with receiving() as receiver:
        association = entity.associate("127.0.0.1", receiver.port, ae_title="OSTEON")
        assert association.accepted_contexts == []
        association.abort()


def test_no_log_line_holds_what_a_sender_wrote(receiving, storescu, instances, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    first = instances.write_file(instances.mr_image(), tmp_path / "a")
    second = instances.write_file(instances.mr_image(ImageComments="changed"), tmp_path / "b")
    with receiving() as receiver:
        storescu(receiver.port, first, calling="CANARY")
        storescu(receiver.port, second, calling="CANARY")
        storescu(receiver.port, first, called="CANARY")
    assert "conflict" in caplog.text
    assert "CANARY" not in caplog.text
    assert "1.2.3.10" not in caplog.text


def test_a_giant_pdu_is_refused_before_it_is_read(receiving):
    with receiving() as receiver, socket.create_connection(("127.0.0.1", receiver.port)) as peer:
        peer.settimeout(10)
        peer.sendall(struct.pack(">BBI", 1, 0, 0xFFFF_FFFF) + bytes(1000))
        started = time.monotonic()
        assert _closed(peer)
        assert time.monotonic() - started < 5


def test_a_peer_that_stalls_inside_a_pdu_is_let_go(receiving):
    limits = Limits(request_s=0.5)
    with (
        receiving(limits=limits) as receiver,
        socket.create_connection(("127.0.0.1", receiver.port)) as peer,
    ):
        peer.settimeout(10)
        peer.sendall(struct.pack(">BBI", 1, 0, 500) + bytes(10))
        assert _closed(peer)


def _closed(peer):
    try:
        while peer.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


def test_a_study_is_busy_while_its_association_is_open(receiving, instances, tmp_path):
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    with receiving() as receiver:
        association = scu(receiver.port)
        association.send_c_store(dcmread(path))
        assert receiver.busy_studies() == {"1.2.3.10"}
        association.release()
        assert instances.until(lambda: receiver.busy_studies() == frozenset())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_failing_disk_is_told_and_recovers(
    receiving, storescu, spool, instances, monkeypatch, number
):
    path = instances.write_file(instances.mr_image(), spool.root.parent / "in")

    def fail(_descriptor):
        raise OSError(number, os.strerror(number))

    with receiving() as receiver:
        with monkeypatch.context() as patch:
            patch.setattr("dicom_node.durable.os.fsync", fail)
            _, text = storescu(receiver.port, path)
        assert "OutOfResources" in text
        assert [p for p in spool.root.rglob("*") if p.is_file()] == []
        code, text = storescu(receiver.port, path)
        assert code == 0
        assert "Success" in text
    assert len(spooled(spool)) == 1


def test_below_the_floor_nobody_new_comes_in(receiving, storescu, instances, tmp_path):
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    with receiving(spool=Spool(tmp_path / "spool", floor_bytes=2**62)) as receiver:
        _, text = storescu(receiver.port, path)
    assert "Rejected Transient, Source: Service Provider (Presentation Related)" in text
    assert "Temporary Congestion" in text


def test_below_the_floor_who_is_in_is_refused_each_object(receiving, spool, instances, tmp_path):
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    with receiving() as receiver:
        association = scu(receiver.port)
        spool._floor_bytes = 2**62
        assert [association.send_c_store(path).Status for _ in range(3)] == [0xA700] * 3
        spool._floor_bytes = 0
        assert association.send_c_store(path).Status == 0x0000
        association.release()
    assert len(spooled(spool)) == 1


def test_a_bug_of_ours_is_logged_without_its_text(receiving, instances, tmp_path, caplog):
    path = instances.write_file(instances.mr_image(), tmp_path / "in")

    def bug(_instance):
        raise ZeroDivisionError("CANARY")

    with receiving(bug) as receiver:
        association = scu(receiver.port)
        assert association.send_c_store(dcmread(path)).Status == 0x0110
        association.release()
    assert "ZeroDivisionError at bug:" in caplog.text
    assert "CANARY" not in caplog.text
