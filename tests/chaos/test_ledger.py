"""A system that is broken in one way is found to be broken in that way."""

import contextlib
import hashlib
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from dicom_node.header import read_header
from dicom_node.part10 import parse_meta
from dicom_node.spool import Spool
from jobs.audit import AuditEntry
from jobs.job import Failure
from jobs.migrate import upgrade
from jobs.result import ResultFile
from jobs.store import JobStore
from jobs.study import input_digest
from tests.chaos.acknowledged import Acknowledgements, Answer, digest_of
from tests.chaos.ledger import Scene, check, main, told
from tests.chaos.quick_measuring import SEG, SR
from tests.chaos.small_studies import write_image, write_small_study
from tests.chaos.vitals import VitalsWatch


class Pacs:
    """What is asked of an Orthanc, from memory."""

    def __init__(self):
        self.files = {}
        self.doubled = ()

    def instances(self):
        return [{"ID": uid, "MainDicomTags": {"SOPInstanceUID": uid}} for uid in self._uids()]

    def file(self, uid):
        return self.files[uid]

    def _uids(self):
        return Counter([*self.files, *self.doubled]).elements()


@pytest.fixture
def site(tmp_path):
    """One study received, measured and delivered; everything holds."""
    database = f"sqlite:///{tmp_path}/osteon.sqlite"
    upgrade(database)
    made = SimpleNamespace(
        spool=tmp_path / "spool",
        results=tmp_path / "results",
        database=tmp_path / "osteon.sqlite",
        log=tmp_path / "node.log",
        pacs=Pacs(),
        study=write_small_study(tmp_path / "study", 2),
        acknowledged=Acknowledgements(tmp_path / "acknowledged"),
    )
    made.log.write_text('{"event": "node_listens"}\n')
    with JobStore(database) as made.store:
        instances = [receive(made, path) for path in made.study.paths]
        made.store.record_instances(instances)
        made.store.open_revision(made.study.uid, input_digest(instances))
        made.job = made.store.claim("test", 60.0)
        deliver(made, [("seg.dcm", SEG), ("sr.dcm", SR)])
        made.store.record_audit(AuditEntry("login", "success", "anna", "reader", "127.0.0.1"))
        made.store.record_audit(AuditEntry("login", "refused", "bert", "", "127.0.0.1"))
        made.scene = Scene(
            acknowledged=made.acknowledged.path,
            spool=made.spool,
            results=made.results,
            database=database,
            pacs=made.pacs,
            logs=(made.log,),
        )
        yield made


def receive(site, path, status=0):
    content = path.read_bytes()
    meta = parse_meta(content)
    encoded = content[meta.offset :]
    spool = Spool(site.spool, floor_bytes=0)
    with spool.claim():
        stored = spool.store(read_header(encoded, meta.transfer_syntax_uid), encoded)
    uid, digest = str(meta.sop_instance_uid), digest_of(content)
    site.acknowledged.add(Answer(site.study.uid, uid, digest, status))
    return stored.instance


def deliver(site, objects):
    """Keep results, put them into the PACS and end the job."""
    kept = []
    for number, (name, sop_class_uid) in enumerate(objects):
        path = site.results / f"{site.job.id}-1" / name
        uid = f"2.25.77{number}"
        content = write_object(path, sop_class_uid, uid)
        digest = hashlib.sha256(content).hexdigest()
        place = f"{site.job.id}-1/{name}"
        kept.append(
            ResultFile(
                "seg", name, "application/dicom", place, digest, sop_class_uid, uid, "2.25.7"
            )
        )
        site.pacs.files[uid] = content
    site.store.keep_results(site.job, kept)
    site.store.deliver(site.job)


def write_object(path, sop_class_uid, uid):
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = sop_class_uid, uid
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = sop_class_uid
    made.file_meta.MediaStorageSOPInstanceUID = uid
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path, enforce_file_format=True)
    return path.read_bytes()


def broken(site, **more):
    """Return the names of the invariants that are broken."""
    return {name for name, found in check(replace(site.scene, **more)).items() if found}


def accepted(site):
    return sorted((site.spool / "studies").rglob("*.dcm"))


def test_a_whole_system_holds(site):
    found = check(site.scene)
    assert set(found) == {"I1", "I2", "I3", "I4", "I5", "I7", "I8"}
    assert not any(found.values())


def test_an_acknowledged_file_that_is_gone(site):
    accepted(site)[0].unlink()
    assert broken(site) == {"I1", "I4"}


def test_an_acknowledged_file_with_another_byte(site):
    path = accepted(site)[0]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert broken(site) == {"I1", "I4"}


def test_an_acknowledged_file_that_was_cut_short(site):
    path = accepted(site)[0]
    path.write_bytes(path.read_bytes()[:200])
    assert broken(site) == {"I1", "I4"}


def test_a_refused_object_need_not_be_there(site):
    answer = Answer(site.study.uid, "2.25.99", "0" * 64, 0xA700)
    site.acknowledged.add(answer)
    assert broken(site) == set()
    site.acknowledged.add(replace(answer, status=0))
    assert broken(site) == {"I1"}


def test_other_bytes_under_a_known_uid_are_kept_beside_the_first(site, tmp_path):
    other = write_image(tmp_path / "other", site.study, 1, PatientID="OTHER")
    receive(site, other, status=0xB000)
    assert broken(site) == set()
    for path in (site.spool / "conflicts").iterdir():
        path.unlink()
    assert broken(site) == {"I1"}


def test_a_study_that_never_got_a_job(site, tmp_path):
    study = write_small_study(tmp_path / "second", 1)
    instance = receive(SimpleNamespace(**{**vars(site), "study": study}), study.paths[0])
    site.store.record_instances([instance])
    assert broken(site) == {"I2"}


def test_a_job_that_hangs_or_failed(site):
    with contextlib.closing(sqlite3.connect(site.database)) as database, database:
        database.execute("UPDATE jobs SET state = 'running'")
    assert broken(site, all_delivered=False) == {"I2"}
    site.store.fail(site.job, Failure("X", "made by the test"))
    assert broken(site, all_delivered=False) == set()
    assert broken(site) == {"I2"}


def test_a_result_that_is_not_in_the_pacs(site):
    del site.pacs.files["2.25.771"]
    assert broken(site) == {"I3"}


def test_a_result_with_other_bytes_in_the_pacs(site, tmp_path):
    site.pacs.files["2.25.771"] = write_object(tmp_path / "x.dcm", SEG, "2.25.771")
    assert broken(site) == {"I3"}


def test_an_object_in_the_pacs_that_no_job_made(site, tmp_path):
    site.pacs.files["2.25.779"] = write_object(tmp_path / "x.dcm", SR, "2.25.779")
    assert broken(site) == {"I3"}


def test_an_object_that_is_twice_in_the_pacs(site):
    site.pacs.doubled = ("2.25.770",)
    assert broken(site) == {"I3"}


def test_a_job_without_a_report(site):
    with contextlib.closing(sqlite3.connect(site.database)) as database, database:
        database.execute("DELETE FROM results WHERE name = 'sr.dcm'")
    del site.pacs.files["2.25.771"]
    assert broken(site) == {"I3"}


def test_what_is_left_over(site):
    (site.spool / "incoming/half").write_bytes(b"half")
    assert broken(site) == {"I4"}
    (site.spool / "incoming/half").unlink()
    (site.results / ".unfinished-1").mkdir()
    assert broken(site) == {"I4"}


def test_a_file_without_a_row(site):
    with contextlib.closing(sqlite3.connect(site.database)) as database, database:
        database.execute("DELETE FROM instances WHERE sop_instance_uid LIKE '%.1'")
    assert broken(site) == {"I4"}


def test_a_result_that_is_gone_or_changed(site):
    path = site.results / f"{site.job.id}-1/seg.dcm"
    path.write_bytes(path.read_bytes()[:-2] + b"\0\0")
    assert "I4" in broken(site, pacs=None)
    path.unlink()
    assert "I4" in broken(site, pacs=None)


@pytest.mark.parametrize("line", ["Traceback (most recent call last):", '{"code": "INTERNAL"}'])
def test_a_defect_in_a_log(site, line):
    site.log.write_text(f"{line}\n")
    assert broken(site) == {"I5"}
    assert broken(site, allowed=(line[:12],)) == set()


def test_a_process_that_ended_by_itself(site):
    assert broken(site, ended=("node ended by itself with status 1",)) == {"I5"}


def test_a_process_that_grows(site):
    grows = "import sys; input(); kept = bytes(range(256)) * 200_000; print(flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", grows], **pipes) as process:
        watch = VitalsWatch(process.pid, wait_s=0.0)
        assert watch.grown() == []
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()
        assert broken(site, vitals=watch) == {"I6"}
        process.kill()


def test_a_patient_in_a_log(site):
    site.log.write_text('{"msg": "study of Zebrafinch^Canary"}\n')
    assert broken(site, canaries=(b"ZEBRAFINCH",)) == {"I7"}
    assert broken(site, canaries=(b"GOLDFINCH",)) == set()


def test_an_audit_that_was_changed(site):
    with contextlib.closing(sqlite3.connect(site.database)) as database, database:
        for (name,) in list(
            database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ):
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE audit SET actor = 'carl' WHERE id = 1")
    assert broken(site) == {"I8"}


def test_the_program_says_what_is_broken(site, monkeypatch, capsys):
    folder = site.database.parent
    places = ["--spool", site.spool, "--results", site.results, "--logs", folder]
    words = ["ledger", "--acknowledged", site.acknowledged.path, *places]
    words += ["--database", site.scene.database]
    monkeypatch.setattr(sys, "argv", list(map(os.fspath, words)))
    assert main() == 0
    assert capsys.readouterr().out.count("holds") == 6
    accepted(site)[0].unlink()
    assert main() == 1
    assert "was acknowledged and is not there" in capsys.readouterr().out
    assert any("BROKEN" in line for line in told(check(site.scene)))
