import errno
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from dicom_node import durable
from dicom_node.errors import SpoolBusy, SpoolFull, SpoolUnwritable, UnreadableHeader
from dicom_node.header import InstanceHeader, read_header
from dicom_node.spool import Outcome, Spool
from dicom_node.uid import Uid

EXPLICIT = Uid("1.2.840.10008.1.2.1")


def header(number=1, study="1.2.3", series="1.2.3.1"):
    return InstanceHeader(
        sop_class_uid=Uid("1.2.840.10008.5.1.4.1.1.4"),
        sop_instance_uid=Uid(f"1.2.9.{number}"),
        study_uid=Uid(study),
        series_uid=Uid(series),
        transfer_syntax_uid=EXPLICIT,
    )


def element(group, number, vr, value):
    value = value.encode() + b"\0" * (len(value) % 2)
    return (
        group.to_bytes(2, "little")
        + number.to_bytes(2, "little")
        + vr
        + len(value).to_bytes(2, "little")
        + value
    )


def data_set(which, tail=b""):
    """An encoded data set with the UIDs of `which` and nothing else but `tail`."""
    return (
        element(8, 0x16, b"UI", which.sop_class_uid)
        + element(8, 0x18, b"UI", which.sop_instance_uid)
        + element(0x20, 0x0D, b"UI", which.study_uid)
        + element(0x20, 0x0E, b"UI", which.series_uid)
        + tail
    )


def files(spool, folder):
    return sorted(p for p in (spool.root / folder).rglob("*") if p.is_file())


def test_a_stored_instance_is_described_and_lies_under_hashes(spool):
    which = header()
    stored = spool.store(which, data_set(which))
    assert stored.outcome is Outcome.NEW
    # printf 1.2.3 | sha256sum, printf 1.2.9.1 | sha256sum: the first 32 digits
    folder, name = "c47f5b18b8a430e698b9fe15e51f6119", "794872dc8bf35ad21cbd26c542b8824b"
    assert stored.instance.path == f"studies/{folder[:2]}/{folder}/{name}.dcm"
    assert stored.instance.size == len(data_set(which))
    assert spool.path(stored.instance).read_bytes().endswith(data_set(which))


def test_the_same_bytes_again_write_nothing(spool):
    which = header()
    first = spool.store(which, data_set(which))
    path = spool.path(first.instance)
    before = path.stat().st_ino
    again = spool.store(which, data_set(which))
    assert again.outcome is Outcome.DUPLICATE
    assert again.instance.path == first.instance.path
    assert path.stat().st_ino == before


def test_other_bytes_are_quarantined_and_the_first_stay(spool):
    which = header()
    first = spool.store(which, data_set(which))
    other = spool.store(which, data_set(which, element(0x20, 0x4000, b"LT", "other")))
    assert other.outcome is Outcome.CONFLICT
    assert spool.path(first.instance).read_bytes().endswith(data_set(which))
    assert [spool.path(other.instance)] == files(spool, "conflicts")
    assert [i.sha256 for i in spool.instances("1.2.3")] == [first.instance.sha256]


def test_a_known_uid_in_another_study_is_a_conflict_also_after_a_restart(spool):
    spool.store(header(), data_set(header()))
    elsewhere = header(study="1.2.4")
    for writer in (spool, Spool(spool.root, floor_bytes=0)):
        assert writer.store(elsewhere, data_set(elsewhere)).outcome is Outcome.CONFLICT


def test_many_threads_with_one_uid_keep_one_file(spool):
    which = header()
    contents = [data_set(which, element(0x20, 0x4000, b"LT", f"{n:04}")) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda c: spool.store(which, c).outcome, contents))
    assert outcomes.count(Outcome.NEW) == 1
    assert outcomes.count(Outcome.CONFLICT) == 7
    assert len(files(spool, "studies")) == 1


def test_the_files_alone_tell_what_was_accepted(spool):
    stored = [
        spool.store(header(n, f"1.2.{n % 3}"), data_set(header(n, f"1.2.{n % 3}"))).instance
        for n in range(9)
    ]
    found = {i.path: i for i in Spool(spool.root).rescan()}
    assert set(found) == {i.path for i in stored}
    for instance in stored:
        again = found[instance.path]
        assert again.sha256 == instance.sha256
        assert again.sop_instance_uid == instance.sop_instance_uid
        assert abs((again.received_at - instance.received_at).total_seconds()) < 2
    known = {i.path for i in stored[:7]}
    assert {i.path for i in spool.rescan(known)} == {i.path for i in stored[7:]}


def test_a_damaged_file_is_reported_and_left_where_it_is(spool):
    kept = spool.store(header(1), data_set(header(1))).instance
    damaged = spool.path(spool.store(header(2), data_set(header(2))).instance)
    damaged.write_bytes(damaged.read_bytes()[:200])
    reported = []
    found = list(spool.rescan(on_unreadable=lambda path, error: reported.append((path, error))))
    assert [i.path for i in found] == [kept.path]
    assert reported[0][0] == damaged
    assert isinstance(reported[0][1], UnreadableHeader)
    with pytest.raises(UnreadableHeader):
        list(spool.rescan())


def test_what_a_writer_left_half_done_is_swept_by_the_next(spool):
    (spool.root / "incoming").mkdir(parents=True)
    (spool.root / "incoming" / "half").write_bytes(b"half")
    with spool.claim():
        assert files(spool, "incoming") == []


def test_two_processes_cannot_write_to_one_spool(spool):
    with spool.claim(), pytest.raises(SpoolBusy), Spool(spool.root).claim():
        pass
    with Spool(spool.root).claim():
        pass


def test_the_order_is_write_sync_rename_sync_of_the_folder(spool, monkeypatch):
    spool.store(header(1), data_set(header(1)))  # the folders exist now
    calls = []

    def record(name, real):
        def call(target, *rest):
            if name == "fsync":
                kind = "folder" if os.path.isdir(f"/proc/self/fd/{target}") else "file"  # noqa: PTH112
                calls.append(f"fsync {kind}")
            else:
                calls.append(name)
            return real(target, *rest)

        return call

    monkeypatch.setattr(durable.os, "fsync", record("fsync", os.fsync))
    monkeypatch.setattr(durable.os, "rename", record("rename", os.rename))
    spool.store(header(2), data_set(header(2)))
    assert calls == ["fsync file", "rename", "fsync folder"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, SpoolFull),
        (errno.EDQUOT, SpoolFull),
        (errno.EIO, SpoolUnwritable),
        (errno.EROFS, SpoolUnwritable),
    ],
)
def test_a_failing_disk_leaves_no_file(spool, monkeypatch, number, expected):
    def fail(_descriptor):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(durable.os, "fsync", fail)
        with pytest.raises(expected):
            spool.store(header(), data_set(header()))
    assert files(spool, "studies") == []
    assert files(spool, "incoming") == []
    assert spool.store(header(), data_set(header())).outcome is Outcome.NEW


def test_the_floor_is_kept_free(tmp_path):
    spool = Spool(tmp_path / "spool", floor_bytes=2**62)
    with pytest.raises(SpoolFull):
        spool.store(header(), data_set(header()))
    assert not (tmp_path / "spool").exists()


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False, capture_output=True
    )
    if mount.returncode:
        pytest.skip("mounting needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_refuses_leaves_nothing_truncated_and_recovers(small_disk):
    spool = Spool(small_disk / "spool", floor_bytes=0)
    tail = element(0x20, 0x4000, b"LT", "x" * 60000)
    kept, refused = 0, 0
    for number in range(40):
        which = header(number)
        try:
            spool.store(which, data_set(which, tail))
            kept += 1
        except SpoolFull:
            refused += 1
    assert kept > 5
    assert refused > 5
    assert files(spool, "incoming") == []
    assert len(list(spool.rescan())) == kept
    for path in files(spool, "studies"):
        assert path.read_bytes().endswith(tail)
    files(spool, "studies")[0].unlink()
    assert spool.store(header(99), data_set(header(99), tail)).outcome is Outcome.NEW


def test_a_full_disk_found_while_writing_leaves_nothing(small_disk, monkeypatch):
    spool = Spool(small_disk / "spool", floor_bytes=0)
    monkeypatch.setattr(
        Spool, "free_bytes", lambda _self: 2**40
    )  # as if others filled it meanwhile
    which = header()
    with pytest.raises(SpoolFull):
        spool.store(which, data_set(which, bytes(2_000_000)))
    assert files(spool, "studies") == []
    assert files(spool, "incoming") == []


def test_folders_made_by_many_threads_are_all_there(tmp_path):
    folders = durable.Folders(tmp_path)
    barrier = threading.Barrier(8)

    def ensure(number):
        barrier.wait()
        folders.ensure(tmp_path / "a" / "b" / str(number % 2))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ensure, range(8)))
    assert sorted(p.name for p in (tmp_path / "a" / "b").iterdir()) == ["0", "1"]


def test_the_header_of_what_is_stored_is_read_back(spool):
    which = header()
    stored = spool.store(which, data_set(which)).instance
    assert read_header(data_set(which), EXPLICIT) == which
    (again,) = spool.instances("1.2.3")
    assert replace(again, received_at=stored.received_at) == stored
