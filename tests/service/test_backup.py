"""Backup and restore over both databases, each into each, while others write."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from dicom_node.header import read_header
from dicom_node.node import Node
from dicom_node.receive import ReceiverSettings
from dicom_node.spool import Spool
from jobs import migrate
from jobs.dump import dump, dumped_rows
from jobs.errors import SchemaTooNew, SchemaTooOld, StoreNotEmpty
from jobs.job import EventKind, Failure, JobState, Stage
from jobs.load import load
from jobs.prior import WantedPrior
from jobs.result import ResultFile
from jobs.schema import metadata
from jobs.store import JobStore
from jobs.study import input_digest
from service.backup.errors import (
    BackupDamaged,
    BackupExists,
    BackupUnwritable,
    NotABackup,
    TargetNotEmpty,
)
from service.backup.read import restore_backup
from service.backup.write import Images, make_backup
from service.cli.app import app
from service.identity_key import identity_key
from service.secret_file import secret_in
from service.settings import load_settings
from service.webhooks import signing
from tests.dicom_node.conftest import data_set_bytes, mr_image, write_file
from tests.servers import PostgreSQL
from workers.queue import StoreQueue

ROOT = Path(__file__).parents[2]
KINDS = ("sqlite", "postgresql")
_NUMBERS = count(1)


@pytest.fixture(scope="module")
def postgresql_server():
    server = PostgreSQL()
    yield server
    server.close()


@pytest.fixture
def system(tmp_path, request):
    """Make systems, each with a data folder and a database of its own."""

    def make(kind):
        name = f"system_{next(_NUMBERS)}"
        url = None
        if kind == "postgresql":
            server = request.getfixturevalue("postgresql_server")
            url = server.create(name)
            request.addfinalizer(lambda: server.drop(name))
        return System(tmp_path / name, url)

    return make


class System:
    """A spool, results and a database, filled as node and worker fill them."""

    def __init__(self, folder, url):
        self.settings = load_settings({"data_dir": folder, "store": {"url": url}})
        self.url = self.settings.store_url
        self.spool = Spool(self.settings.spool_dir, floor_bytes=0)
        folder.mkdir()

    def set_up(self):
        migrate.upgrade(self.url)
        return self

    def receive(self, study, images=2, first=1):
        """Put images into the spool; what is returned still has to be indexed."""
        stored = []
        for number in range(first, first + images):
            path = write_file(mr_image(number, study, f"{study}.1"), self.settings.data_dir / "out")
            content = data_set_bytes(path)
            header = read_header(content, ExplicitVRLittleEndian)
            stored.append(self.spool.store(header, content).instance)
            path.unlink()
        return stored

    def queue(self, store, study, images=2):
        instances = self.receive(study, images)
        store.record_instances(instances)
        return store.open_revision(study, input_digest(instances))

    def deliver(self, store, job):
        """Do a worker's part: results on disk and in the record."""
        claimed = store.claim("worker", 60.0, job.id)
        store.enter_stage(claimed, Stage.READ)
        store.progress(claimed, 1 / 3)
        store.leave_stage(claimed, Stage.READ, 0.1 + 0.2)
        folder = self.settings.results_dir / f"{job.id}-1"
        folder.mkdir(parents=True)
        (folder / "report.pdf").write_bytes(b"numbers of " + job.id.encode())
        digest = sha256((folder / "report.pdf").read_bytes()).hexdigest()
        uid = f"2.25.{int(job.id, 16)}"
        file = ResultFile(
            "pdf",
            "report.pdf",
            "application/pdf",
            f"{folder.name}/report.pdf",
            digest,
            "1.2.840.10008.5.1.4.1.1.104.1",
            uid,
            f"{uid}.1",
        )
        store.keep_summary(claimed, {"tdv_ml": 12.5, "note": "µm²/s", "nothing": None})
        store.keep_results(claimed, [file])
        store.expect_delivery(claimed, "pacs")
        store.mark_sent(claimed, uid, "pacs", 0)
        store.begin_prior_search(claimed, 60.0)
        store.end_prior_search(claimed, wanted=[WantedPrior("1.2.99", "20250101")])
        store.deliver(claimed)

    def fill(self):
        """One study in each situation; return the jobs by its name."""
        with JobStore(self.url) as store:
            jobs = {
                name: self.queue(store, f"1.2.{number}")
                for number, name in enumerate(
                    ("delivered", "rejected", "failed", "running", "queued"), start=1
                )
            }
            self.deliver(store, jobs["delivered"])
            store.reject(store.claim("w", 60.0, jobs["rejected"].id), Failure("NO", "b\x00d"))
            store.fail(store.claim("w", 60.0, jobs["failed"].id), Failure("BUG", "a bug"))
            assert store.claim("killed with its host", 1.0, jobs["running"].id).fence == 1
            store.record_instances(self.receive("1.2.6"))  # still arrives: not closed
            self.receive("1.2.7")  # acknowledged, not indexed yet
            self.receive("1.2.1", 1, first=3)  # a late image of the delivered study, not indexed
        return jobs

    def images(self):
        """Digest of every accepted image, by its path."""
        files = sorted((self.settings.spool_dir / "studies").rglob("*.dcm"))
        root = self.settings.spool_dir
        return {str(f.relative_to(root)): sha256(f.read_bytes()).hexdigest() for f in files}

    def rows(self, folder):
        folder.mkdir()
        dump(self.url, folder)
        return {table: list(dumped_rows(folder, table)) for table in metadata.tables}


@pytest.fixture(params=KINDS)
def filled(request, system):
    made = system(request.param).set_up()
    made.jobs = made.fill()
    return made


@pytest.fixture(params=KINDS)
def target(request, system):
    return system(request.param)


@pytest.fixture
def backup(tmp_path, system):
    """A backup of a small SQLite system, to be damaged."""
    made = system("sqlite").set_up()
    made.fill()
    make_backup(made.settings, tmp_path / "backup", Images.ALL)
    return tmp_path / "backup"


def test_everything_that_matters_comes_back(filled, target, tmp_path):
    before, images = filled.rows(tmp_path / "before"), filled.images()
    manifest = make_backup(filled.settings, tmp_path / "backup", Images.UNFINISHED)
    assert manifest.rows == {
        name: len(rows) for name, rows in before.items() if name in manifest.rows
    }
    assert (manifest.schema, manifest.missing) == (migrate.head(), 0)
    restore_backup(target.settings, tmp_path / "backup")

    after = target.rows(tmp_path / "after")
    assert after == before
    assert len(after["jobs"]) == 5
    assert [row["study_uid"] for row in after["priors"]] == ["1.2.99"]
    assert len(after["prior_wishes"]) == len(after["prior_searches"]) == 1
    assert after["job_events"][0]["at"].endswith("+00:00")
    # Of rejected studies nothing is worked on again; a delivered one that grows comes whole.
    with JobStore(target.url) as store:
        left_out = {i.path for i in store.instances("1.2.2")}
    assert len(left_out) == 2
    assert target.images() == {path: d for path, d in images.items() if path not in left_out}
    [report] = target.settings.results_dir.glob("*/report.pdf")
    assert report.read_bytes() == b"numbers of " + filled.jobs["delivered"].id.encode()


def test_the_restored_system_goes_on_and_delivers_once(system, target, tmp_path):
    filled = system("sqlite").set_up()
    filled.jobs = filled.fill()
    make_backup(filled.settings, tmp_path / "backup", Images.UNFINISHED)
    restore_backup(target.settings, tmp_path / "backup")
    command = [sys.executable, ROOT / "tests/contracts/queue_worker.py", target.url, "embedded"]
    with JobStore(target.url) as store:
        highest = max(e.id for job in store.jobs() for e in store.events(job.id))
        index_what_arrived(target, store)
        new = store.open_revision("1.2.7", input_digest(store.instances("1.2.7")))
        expected = {filled.jobs[name].id for name in ("delivered", "running", "queued")} | {new.id}
        worker = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
        try:
            end = time.monotonic() + 60
            while store.counts()[JobState.DELIVERED] < 4 and time.monotonic() < end:
                time.sleep(0.1)
        finally:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0
        delivered = {job.id for job in store.jobs(JobState.DELIVERED)}
        events = {job: [e.kind for e in store.events(job)] for job in delivered}
        assert delivered == expected
        assert {job: Counter(kinds)[EventKind.DELIVERED] for job, kinds in events.items()} == (
            dict.fromkeys(delivered, 1)
        )
        taken_over = events[filled.jobs["running"].id]
        assert EventKind.LEASE_EXPIRED in taken_over
        assert store.job(filled.jobs["running"].id).fence > 1
        assert min(e.id for e in store.events(new.id)) > highest


def index_what_arrived(system, store):
    """Start a node on the spool: it indexes the files that have no row."""
    spool = Spool(system.settings.spool_dir, floor_bytes=0, shared="postgresql" in system.url)
    node = Node(ReceiverSettings(port=0), spool, store, StoreQueue())
    stop = threading.Event()
    thread = threading.Thread(target=node.run, args=(stop,))
    thread.start()
    assert node.started.wait(30)
    stop.set()
    thread.join(30)
    assert len(store.instances("1.2.7")) == 2
    assert len(store.late_instances("1.2.1")) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_is_of_one_moment_while_others_write(kind, system, tmp_path):
    busy, quiet = system(kind).set_up(), system("sqlite")
    stop = threading.Event()

    def keep_writing():
        with JobStore(busy.url) as store:
            for number in count(1):
                job = busy.queue(store, f"1.3.{number}")
                if number % 2:
                    busy.deliver(store, job)
                if stop.is_set():
                    return

    with JobStore(busy.url) as store:
        writer = threading.Thread(target=keep_writing)
        writer.start()
        while store.counts()[JobState.DELIVERED] < 3:
            time.sleep(0.01)
        make_backup(busy.settings, tmp_path / "backup", Images.ALL)
        stop.set()
        writer.join(60)
    restore_backup(
        quiet.settings, tmp_path / "backup"
    )  # its foreign keys would refuse half a study
    with JobStore(quiet.url) as store:
        jobs = store.jobs(limit=10_000)
        assert len(jobs) >= 3
        images = quiet.images()
        for job in jobs:
            assert {i.path for i in store.instances(job.study_uid)} <= images.keys()
            assert store.events(job.id)[0].kind == EventKind.OPENED
            for result in store.results(job.id):
                content = (quiet.settings.results_dir / result.path).read_bytes()
                assert sha256(content).hexdigest() == result.sha256


def test_sha256sum_proves_a_backup_without_osteon_and_nobody_else_reads_it(backup):
    done = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=backup, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    listed = {line.split(": ")[0] for line in done.stdout.splitlines()}
    files = {str(p.relative_to(backup)) for p in backup.rglob("*") if p.is_file()}
    assert files - listed == {"SHA256SUMS"}
    assert {p.stat().st_mode & 0o077 for p in backup.rglob("*.dcm")} == {0}
    assert backup.stat().st_mode & 0o777 == 0o700


def test_passwords_stay_out_of_a_backup(system, tmp_path, monkeypatch):
    monkeypatch.setenv("OSTEON_QUEUE__PASSWORD", "s3cret-of-redis")
    made = system("sqlite").set_up()
    make_backup(made.settings, tmp_path / "backup", Images.UNFINISHED)
    for path in (tmp_path / "backup").rglob("*"):
        assert path.is_dir() or b"s3cret-of-redis" not in path.read_bytes()


def test_a_missing_or_rotten_result_is_counted(system, tmp_path):
    made = system("sqlite").set_up()
    with JobStore(made.url) as store:
        for study in ("1.2.1", "1.2.2", "1.2.3"):
            made.deliver(store, made.queue(store, study))
    gone, rotten, _ = sorted(made.settings.results_dir.glob("*/report.pdf"))
    gone.unlink()
    rotten.write_bytes(b"another")
    manifest = make_backup(made.settings, tmp_path / "backup", Images.UNFINISHED)
    assert manifest.missing == 2
    assert manifest.files == {"spool": 0, "results": 2}


def test_a_missing_image_of_a_queued_study_is_counted(system, tmp_path):
    made = system("sqlite").set_up()
    with JobStore(made.url) as store:
        made.queue(store, "1.2.1", images=3)
        made.queue(store, "1.2.2", images=3)
    images = sorted((made.settings.spool_dir / "studies").rglob("*.dcm"))
    for image in images[:4]:  # one study lost all, one lost one
        image.unlink()
    images[0].parent.rmdir()
    assert make_backup(made.settings, tmp_path / "backup", Images.UNFINISHED).missing == 4


class TestRefusals:
    """Each refused restore changes nothing."""

    @pytest.fixture
    def refused(self, system, backup):
        """Restore into a new system and be refused; return the error."""

        def attempt(kind, target=None):
            target = target or system("sqlite")
            with pytest.raises(kind) as caught:
                restore_backup(target.settings, backup)
            data = target.settings.data_dir
            assert not list(data.rglob("*.dcm"))
            assert not list(data.glob("results/*"))
            assert not list(data.glob("*/.restoring-*"))
            assert migrate.current(target.url) in (None, migrate.head())
            return str(caught.value)

        return attempt

    def test_a_changed_image(self, refused, backup):
        path = next(backup.rglob("*.dcm"))
        path.write_bytes(path.read_bytes()[:-1] + b"\xff")
        assert path.name in refused(BackupDamaged)

    @pytest.mark.parametrize("name", ["manifest.json", "records/jobs.jsonl.gz"])
    def test_a_changed_record(self, refused, backup, name):
        content = (backup / name).read_bytes()
        (backup / name).write_bytes(
            content.replace(b'"schema"', b'"schema" ') if name == "manifest.json" else content[:-9]
        )
        assert name in refused(BackupDamaged)

    def test_a_missing_file(self, refused, backup):
        next(backup.rglob("report.pdf")).unlink()
        assert "report.pdf" in refused(BackupDamaged)

    def test_a_shortened_list(self, refused, backup):
        lines = (backup / "SHA256SUMS").read_text().splitlines(keepends=True)
        (backup / "SHA256SUMS").write_text("".join(line for line in lines if "spool/" not in line))
        assert "list of files" in refused(BackupDamaged)

    def test_a_path_that_leads_out(self, refused, backup):
        with (backup / "SHA256SUMS").open("a") as sums:
            sums.write(f"{'0' * 64}  spool/../../../etc/passwd\n")
        refused(BackupDamaged)

    def test_no_backup(self, refused, backup):
        (backup / "manifest.json").unlink()
        refused(NotABackup)

    def test_a_newer_form_and_a_newer_schema(self, refused, backup):
        manifest = json.loads((backup / "manifest.json").read_text())
        (backup / "manifest.json").write_text(json.dumps(manifest | {"schema": "9999"}))
        assert "the backup has schema 9999" in refused(SchemaTooNew)
        (backup / "manifest.json").write_text(json.dumps(manifest | {"form": 2}))
        assert "form 2" in refused(NotABackup)

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_database_with_rows(self, refused, system, kind):
        target = system(kind).set_up()
        with JobStore(target.url) as store:
            store.record_instances(target.receive("1.5.1"))
            (target.settings.spool_dir / store.instances("1.5.1")[0].path).unlink()
            (target.settings.spool_dir / store.instances("1.5.1")[1].path).unlink()
            assert "rows in" in refused(StoreNotEmpty, target)
            assert len(store.instances("1.5.1")) == 2

    def test_a_running_node(self, refused, system):
        from dicom_node.errors import SpoolBusy  # noqa: PLC0415

        target = system("sqlite")
        with target.spool.claim():
            refused(SpoolBusy, target)

    def test_files_in_the_data_folder_stay(self, backup, system):
        target = system("sqlite")
        target.receive("1.5.1")
        before = target.images()
        with pytest.raises(TargetNotEmpty):
            restore_backup(target.settings, backup)
        assert target.images() == before

    def test_a_database_that_fails_under_way(self, refused, monkeypatch):
        def fail(*_):
            message = "the plug was pulled"
            raise RuntimeError(message)

        monkeypatch.setattr("jobs.load._continue_numbers", fail)
        refused(RuntimeError)


def test_the_secret_of_patients_digests_comes_back_with_them(system, tmp_path):
    made, target = system("sqlite").set_up(), system("sqlite")
    secret = identity_key(made.settings)
    assert identity_key(target.settings) != secret  # made by an early worker
    make_backup(made.settings, tmp_path / "backup", Images.UNFINISHED)
    restore_backup(target.settings, tmp_path / "backup")
    assert identity_key(target.settings) == secret
    key = next(target.settings.results_dir.glob(".*.key"))
    assert key.stat().st_mode & 0o777 == 0o600


def test_the_secret_of_webhooks_comes_back_so_that_receivers_know_us(system, tmp_path):
    made, target = system("sqlite").set_up(), system("sqlite")
    kept = made.settings.results_dir / signing.FILE_NAME
    key = secret_in(kept, "a test")
    make_backup(made.settings, tmp_path / "backup", Images.UNFINISHED)
    restore_backup(target.settings, tmp_path / "backup")
    assert secret_in(target.settings.results_dir / signing.FILE_NAME, "a test") == key


def test_the_record_alone_comes_back_to_a_spool_that_stays(system, tmp_path):
    """The way back to an older version: what came after the backup is not lost."""
    made = system("sqlite").set_up()
    with JobStore(made.url) as store:
        made.queue(store, "1.2.1")
        make_backup(made.settings, tmp_path / "backup", Images.UNFINISHED)
        made.queue(store, "1.2.7")  # after the backup
        made.receive("1.2.1", 1, first=3)
    with pytest.raises(StoreNotEmpty):
        restore_backup(made.settings, tmp_path / "backup", records_only=True)
    for file in made.settings.data_dir.glob("osteon.sqlite*"):
        file.unlink()
    before = made.images()
    restore_backup(made.settings, tmp_path / "backup", records_only=True)
    assert made.images() == before
    with JobStore(made.url) as store:
        assert [job.study_uid for job in store.jobs()] == ["1.2.1"]
        index_what_arrived(made, store)


def test_an_empty_schema_is_no_obstacle(backup, system):
    """`osteon db upgrade` runs before anything else in compose."""
    for kind in KINDS:
        target = system(kind).set_up()
        restore_backup(target.settings, backup)
        with JobStore(target.url) as store:
            assert len(store.jobs()) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_of_an_older_schema_is_brought_up(kind, system, tmp_path):
    old = system(kind)
    with migrate.changing_schema(old.url) as connection:
        migrate.bring_to(connection, "0001")
    engine = create_engine(old.url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO studies (uid, revision, n_instances, n_series, "
                "first_received_at, last_received_at) VALUES ('1.2', 0, 0, 0, "
                "'2026-01-01 10:00:00', '2026-01-01 10:00:00')"
            )
        )
    engine.dispose()
    assert make_backup(old.settings, tmp_path / "backup", Images.UNFINISHED).schema == "0001"
    target = system(kind)
    restore_backup(target.settings, tmp_path / "backup")
    with JobStore(target.url) as store:  # refuses any schema but its own
        assert store.study("1.2").first_received_at == datetime(2026, 1, 1, 10, tzinfo=UTC)


def test_a_backup_needs_a_record_a_new_name_and_a_folder(system, tmp_path):
    made = system("sqlite")
    with pytest.raises(SchemaTooOld):
        make_backup(made.settings, tmp_path / "a", Images.UNFINISHED)
    made.set_up()
    make_backup(made.settings, tmp_path / "a", Images.UNFINISHED)
    with pytest.raises(BackupExists):
        make_backup(made.settings, tmp_path / "a", Images.UNFINISHED)
    with pytest.raises(BackupUnwritable):
        make_backup(made.settings, tmp_path / "not mounted/a", Images.UNFINISHED)
    assert not list(tmp_path.glob(".*"))


def test_a_file_system_that_refuses_is_one_sentence(backup, system):
    target = system("sqlite")
    target.settings.results_dir.write_text("a file where a folder should be")
    with pytest.raises(BackupUnwritable, match="File exists"):
        restore_backup(target.settings, backup)


def test_a_killed_backup_leaves_no_name_and_the_next_one_sweeps(system, tmp_path):
    made = system("sqlite").set_up()
    with JobStore(made.url) as store:
        made.queue(store, "1.2.1")
    program = (
        "import sys, time; from pathlib import Path\n"
        "from service.backup import write; from service.settings import load_settings\n"
        "def wait(*_): print('copying', flush=True); time.sleep(600)\n"
        "write.copy_file = wait\n"
        "settings = load_settings({'data_dir': Path(sys.argv[1])})\n"
        "write.make_backup(settings, Path(sys.argv[2]), write.Images.ALL)\n"
    )
    command = [sys.executable, "-c", program, made.settings.data_dir, tmp_path / "backup"]
    killed = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert killed.stdout.readline() == b"copying\n"
    [half] = tmp_path.glob(".unfinished-backup-*")
    make_backup(made.settings, tmp_path / "beside", Images.ALL)
    assert half.is_dir()  # its owner lives
    killed.kill()
    killed.communicate()
    assert not (tmp_path / "backup").exists()
    make_backup(made.settings, tmp_path / "backup", Images.ALL)
    assert not half.exists()


def test_the_commands_say_what_happened(system, tmp_path):
    made, other = system("sqlite").set_up(), system("sqlite")
    made.fill()

    def call(data, *arguments):
        return CliRunner().invoke(app, ["--data", str(data), *map(str, arguments)])

    done = call(made.settings.data_dir, "backup", tmp_path / "b")
    assert done.exit_code == 0, done.output
    assert "5 jobs, 13 images and 1 result files" in done.stdout
    again = call(made.settings.data_dir, "backup", tmp_path / "b")
    assert (again.exit_code, "[BACKUP_EXISTS]" in again.stderr) == (1, True)
    done = call(other.settings.data_dir, "restore", tmp_path / "b", "--json")
    assert json.loads(done.stdout)["rows"]["jobs"] == 5
    again = call(other.settings.data_dir, "restore", tmp_path / "b")
    assert (again.exit_code, "[STORE_NOT_EMPTY]" in again.stderr) == (1, True)
    next(made.settings.results_dir.glob("*/report.pdf")).unlink()
    part = call(made.settings.data_dir, "backup", tmp_path / "c", "--all-images")
    assert (part.exit_code, "[BACKUP_INCOMPLETE]" in part.stderr) == (4, True)
    for name in ("CANARY", "1.2.1"):  # nothing that identifies
        assert name not in done.stderr + again.stderr + part.stdout + part.stderr
    for settings, told in ((made.settings, ["backup"] * 2), (other.settings, ["restore"])):
        with JobStore(settings.store_url) as store:  # who took everything out, and brought it in
            rows = [r for r in store.audit() if r.event in {"backup", "restore"}]
            assert [row.event for row in rows] == told


def test_a_restore_says_when_another_model_serves(backup, system, tmp_path):
    target = system("sqlite")
    given = ["--data", str(target.settings.data_dir), "--set", f"models.repository={tmp_path}"]
    done = CliRunner().invoke(app, [*given, "restore", str(backup)])
    assert done.exit_code == 0, done.output
    assert "another anatomy model serves here" in done.stderr


def test_the_dump_refuses_what_it_did_not_write(backup, system):
    """Past the digests: a file that was made to fit is still no table."""
    from jobs.errors import DumpDamaged  # noqa: PLC0415

    (backup / "records/jobs.jsonl.gz").write_bytes(b"not gzip")
    target = system("sqlite")
    with pytest.raises(DumpDamaged):
        load(target.url, backup / "records", migrate.head())
    assert migrate.current(target.url) is None
