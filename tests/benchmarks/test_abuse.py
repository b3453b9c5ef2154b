"""How `benchmarks.abuse` judges: what counts as kept, as cut off, as not measured."""

import sqlite3
from contextlib import closing

import pytest

from benchmarks.abuse import ABUSES, COMPARED, as_table
from benchmarks.front_door.association import PeerError
from benchmarks.front_door.disks import cut_short, kept_in
from benchmarks.front_door.finding import Abuse, Bench, Finding, judged_wait
from benchmarks.front_door.images import make_images
from benchmarks.front_door.programs import RECEIVERS


@pytest.fixture(scope="module")
def images():
    return make_images()


def _file(images, number, end=None):
    image = images.image(0, number)
    return image.uid, (bytes(128) + b"DICM" + image.head + images.pixels)[:end]


def test_only_whole_files_count_as_kept(images, tmp_path):
    whole, content = _file(images, 0)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1").write_bytes(content)
    (tmp_path / "2").write_bytes(_file(images, 1, -1)[1])
    (tmp_path / "3").write_bytes(b"")
    (tmp_path / "incoming").mkdir()
    (tmp_path / "incoming" / "4").write_bytes(_file(images, 2)[1])  # it never got its name
    assert kept_in(tmp_path, images, indexed=False) == {whole}


def test_of_orthanc_counts_what_its_index_knows_and_is_whole(images, tmp_path):
    folder = tmp_path / "images"
    uids = []
    for number, name in enumerate(("aabb1", "aabb2", "aabb3")):
        uid, content = _file(images, number, -1 if name == "aabb2" else None)
        (folder / "aa" / "bb").mkdir(parents=True, exist_ok=True)
        (folder / "aa" / "bb" / name).write_bytes(content)
        uids.append(uid)
    with closing(sqlite3.connect(folder / "index")) as index:
        index.execute("CREATE TABLE AttachedFiles (id, fileType, uuid)")
        index.execute("CREATE TABLE DicomIdentifiers (id, tagGroup, tagElement, value)")
        for number, name in enumerate(("aabb1", "aabb2")):  # the third was never indexed
            index.execute("INSERT INTO AttachedFiles VALUES (?, 1, ?)", (number, name))
            index.execute("INSERT INTO DicomIdentifiers VALUES (?, 8, 24, ?)", (number, "x"))
        index.commit()
    assert kept_in(tmp_path, images, indexed=True) == {uids[0]}


def test_a_cut_off_image_is_one_by_its_name_or_its_mark(images, tmp_path):
    content = _file(images, 0)[1]
    written = {
        "whole.dcm": content,
        "half.dcm": content[:5000],
        "MR.1.2.3": b"",
        "f00d": content[:200],
        "index": b"a database",
    }
    for name, inside in written.items():
        (tmp_path / name).write_bytes(inside)
    found = {path.name for path in tmp_path.iterdir() if cut_short(path, images)}
    assert found == {"half.dcm", "MR.1.2.3", "f00d"}


def test_what_is_not_accepted_yet_is_not_cut_off(images, tmp_path):
    path = tmp_path / "incoming" / "1.dcm"
    path.parent.mkdir()
    path.write_bytes(b"half")
    assert not cut_short(path, images)


@pytest.mark.parametrize(("waited_s", "passed"), [(0.2, True), (1.5, False), (None, False)])
def test_an_answer_within_a_second_passes(waited_s, passed):
    judged, figure = judged_wait(waited_s, 40.0)
    assert judged is passed
    assert ("no answer in 40 s" in figure) is (waited_s is None)


def test_what_could_not_be_tried_is_not_measured():
    def judge(_receiver, _bench):
        raise PeerError("it did not\nstart")

    found = Abuse("a row", "never", judge).on(RECEIVERS["storescp"], Bench(None, None, None))
    assert found == Finding("a row", "storescp", None, "it did not start")


def test_the_table_has_a_row_for_each_abuse_that_was_tried():
    row = ABUSES[0]
    found = [Finding(row.name, "Osteon", True, "0.1 s"), Finding(row.name, "Orthanc", False, "-")]
    lines = as_table(found, {"Osteon": "Osteon 1", "Orthanc": "Orthanc 1.10"}).splitlines()
    assert lines[0].endswith("Osteon 1, Orthanc 1.10.")
    assert lines[-1] == f"| {row.name} | {row.passes} | pass: 0.1 s | **fail**: - |"
    assert len(lines) == 5


def test_all_four_are_compared_in_every_row_of_part_d():
    assert {"Osteon", "storescp", "storescp --fork", "Orthanc", "pynetdicom"} == set(COMPARED)
    names = " ".join(abuse.name for abuse in ABUSES)
    for word in ("say nothing", "middle of a PDU", "4 GiB", "power cut", "full disk", "TLS"):
        assert word in names
