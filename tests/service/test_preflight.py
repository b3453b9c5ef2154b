"""`osteon doctor` against real servers, real peers and a real disk."""

import json
import subprocess
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dicom_node.echo_wait import wait_for_echo
from dicom_node.receive import Receiver, ReceiverSettings
from dicom_node.spool import Spool
from jobs import migrate
from jobs.clock import clock_difference_s
from service.cli.app import app
from service.preflight import neighbours, servers, storage
from service.preflight.finding import Verdict
from service.settings import load_settings
from tests.dicom_node.conftest import DCMTK, until
from tests.servers import PostgreSQL, Redis, free_port

SHIPPED = Path(__file__).parents[2] / "model_repository"


def findings(check, **flags):
    """Verdict and sentence of each code; of several with one code the last."""
    return {f.code: (f.verdict, f.sentence) for f in check(load_settings(flags))}


@pytest.fixture(scope="module")
def postgresql():
    server = PostgreSQL()
    yield server
    server.close()


class TestStorage:
    @pytest.fixture(autouse=True)
    def on(self, monkeypatch, tmp_path):
        """Say which file system the data folder is on."""
        self.folder = tmp_path / "data"

        def set_kind(kind):
            monkeypatch.setattr(storage, "file_system", lambda _folder: kind)

        self.set_kind = set_kind
        set_kind("ext4")

    def look(self, **flags):
        return findings(storage.check_storage, data_dir=self.folder, **flags)

    def test_a_disk_that_takes_files_and_has_room(self):
        found = self.look()
        assert {code: verdict for code, (verdict, _) in found.items()} == {
            "DATA_FOLDER": Verdict.OK,
            "DISK_SPACE": Verdict.OK,
        }
        assert [path for path in self.folder.rglob("*") if path.is_file()] == []

    def test_spool_and_results_may_be_volumes_of_their_own(self, monkeypatch):
        kinds = {"spool": "ext4", "results": "overlay"}
        monkeypatch.setattr(storage, "file_system", lambda folder: kinds[folder.name])
        found = storage.check_storage(load_settings({"data_dir": self.folder}))
        assert [f.verdict for f in found] == [Verdict.OK, Verdict.PROBLEM]

    @pytest.mark.parametrize(
        ("kind", "url", "verdict"),
        [
            ("overlay", None, Verdict.PROBLEM),
            ("tmpfs", None, Verdict.PROBLEM),
            ("nfs4", None, Verdict.PROBLEM),
            ("nfs4", "postgresql+pg8000://db/osteon", Verdict.OK),
            ("nfs", "postgresql+pg8000://db/osteon", Verdict.PROBLEM),
            ("cifs", "postgresql+pg8000://db/osteon", Verdict.PROBLEM),
            ("xfs", None, Verdict.OK),
        ],
    )
    def test_what_each_file_system_is_good_for(self, kind, url, verdict):
        self.set_kind(kind)
        found, sentence = self.look(store={"url": url})["DATA_FOLDER"]
        assert found is verdict
        assert kind in sentence

    def test_a_folder_that_cannot_be_written(self):
        self.folder.write_text("a file where the folder should be")
        [(code, (verdict, sentence))] = self.look().items()
        assert (code, verdict) == ("DATA_FOLDER", Verdict.PROBLEM)
        assert "owned by" in sentence

    def test_less_room_than_the_node_wants(self):
        verdict, sentence = self.look(node={"free_space_floor_gib": 1e9})["DISK_SPACE"]
        assert verdict is Verdict.PROBLEM
        assert "0xA700" in sentence

    def test_the_longest_mount_decides(self, tmp_path, monkeypatch):
        monkeypatch.undo()
        mounts = tmp_path / "mounts"
        with_space = str(tmp_path / "da ta").replace(" ", "\\040")
        mounts.write_text(f"a / overlay rw 0 0\nb {with_space} xfs rw 0 0\nc /else tmpfs rw 0 0\n")
        assert storage.file_system(tmp_path / "da ta" / "spool", mounts) == "xfs"
        assert storage.file_system(tmp_path, mounts) == "overlay"
        done = subprocess.run(
            ["df", "--output=fstype", tmp_path], capture_output=True, text=True, check=True
        )
        assert storage.file_system(tmp_path) == done.stdout.split()[-1]


class TestServers:
    def test_a_database_before_and_after_its_upgrade(self, postgresql):
        url = postgresql.create("preflight")
        verdict, sentence = findings(servers.check_database, store={"url": url})["DATABASE"]
        assert verdict is Verdict.PROBLEM
        assert "osteon db upgrade" in sentence
        migrate.upgrade(url)
        found = findings(servers.check_database, store={"url": url})
        assert found["DATABASE"][0] is Verdict.OK
        assert found["CLOCK"][0] is Verdict.OK

    def test_a_database_that_is_away_is_told_without_its_password(self, monkeypatch):
        monkeypatch.setenv("OSTEON_STORE__PASSWORD", "s3cret")
        url = f"postgresql+pg8000://osteon:{{password}}@127.0.0.1:{free_port()}/osteon"
        found = findings(servers.check_database, store={"url": url})
        verdict, sentence = found["DATABASE"]
        assert (verdict, found["CLOCK"][0]) == (Verdict.PROBLEM, Verdict.SKIPPED)
        assert "STORE_UNAVAILABLE" in sentence
        assert "s3cret" not in sentence

    def test_the_clocks_of_one_host_agree(self, postgresql):
        assert abs(clock_difference_s(postgresql.url())) < 5

    @pytest.mark.parametrize("difference_s", [7.25, -7.25])
    def test_clocks_that_differ(self, difference_s, monkeypatch, tmp_path):
        monkeypatch.setattr(servers, "clock_difference_s", lambda _url: difference_s)
        verdict, sentence = findings(servers.check_database, data_dir=tmp_path)["CLOCK"]
        assert verdict is Verdict.PROBLEM
        assert f"{difference_s:+.1f} s" in sentence

    def test_redis_with_the_right_and_the_wrong_password(self, tmp_path, monkeypatch):
        redis = Redis(tmp_path / "redis")
        try:
            flags = {
                "data_dir": tmp_path,
                "queue": {"backend": "celery", "broker_url": redis.address},
            }
            monkeypatch.setenv("OSTEON_QUEUE__PASSWORD", Redis.PASSWORD)
            assert findings(servers.check_broker, **flags)["BROKER"][0] is Verdict.OK
            monkeypatch.setenv("OSTEON_QUEUE__PASSWORD", "wrong")
            assert findings(servers.check_broker, **flags)["BROKER"][0] is Verdict.PROBLEM
        finally:
            redis.kill()

    def test_no_broker_is_asked_in_embedded_mode(self):
        assert findings(servers.check_broker)["BROKER"][0] is Verdict.SKIPPED

    def test_shipped_models_are_sound_and_a_changed_one_is_not(self, tmp_path):
        found = list(servers.check_models(load_settings({"models": {"repository": SHIPPED}})))
        assert len(found) >= 2
        assert {f.verdict for f in found} == {Verdict.OK}
        folder = tmp_path / "anatomy"
        (folder / "1").mkdir(parents=True)
        (folder / "osteon.json").write_bytes((SHIPPED / "anatomy/osteon.json").read_bytes())
        (folder / "1/model.pt").write_bytes(b"another")
        flags = {"models": {"repository": tmp_path, "disease": "rule"}}
        verdict, sentence = findings(servers.check_models, **flags)["MODELS"]
        assert verdict is Verdict.PROBLEM
        assert "sha256 differs" in sentence


class TestPacs:
    @pytest.fixture
    def port(self):
        return free_port()

    @pytest.fixture
    def echoed(self, port):
        """Look for an echo while DCMTK sends one; return the finding."""

        def run(called="OSTEON", calling="PACS", **node):
            flags = {"ae_title": "OSTEON", "host": "127.0.0.1", "port": port, **node}
            settings = load_settings({"node": flags})
            found = []
            waiting = threading.Thread(
                target=lambda: found.append(neighbours.check_echo_back(settings, 60.0))
            )
            waiting.start()
            command = [DCMTK / "echoscu", "-aec", called, "-aet", calling, "127.0.0.1", str(port)]
            assert until(
                lambda: subprocess.run(command, check=False, capture_output=True).returncode == 0
            )
            waiting.join(60)
            return found[0]

        return run

    def test_an_echo_that_comes(self, echoed):
        finding = echoed(calling_ae_titles=("PACS",))
        assert finding.verdict is Verdict.OK
        assert "PACS at 127.0.0.1 reached OSTEON" in finding.sentence

    def test_an_echo_for_somebody_else(self, echoed):
        finding = echoed(called="OSTEONX")
        assert finding.verdict is Verdict.PROBLEM
        assert "called 'OSTEONX', our AE title is 'OSTEON'" in finding.sentence

    def test_an_echo_of_a_stranger(self, echoed):
        finding = echoed(calling="WHO", calling_ae_titles=("PACS",))
        assert finding.verdict is Verdict.PROBLEM
        assert "node.calling_ae_titles" in finding.sentence

    def test_no_echo(self, port):
        assert wait_for_echo("OSTEON", "127.0.0.1", port, 0.2) is None
        settings = load_settings({"node": {"port": port}})
        assert neighbours.check_echo_back(settings, 0.2).verdict is Verdict.PROBLEM
        assert neighbours.check_echo_back(settings, 0.0).verdict is Verdict.SKIPPED

    def test_a_node_that_has_the_port_already_is_asked_instead(self, tmp_path):
        receiver = Receiver(ReceiverSettings(port=0), Spool(tmp_path), lambda _: None)
        receiver.start()
        try:
            settings = load_settings({"node": {"port": receiver.port}})
            finding = neighbours.check_echo_back(settings, 1.0)
        finally:
            receiver.stop()
        assert finding.verdict is Verdict.PROBLEM
        assert "the node runs" in finding.sentence

    def test_destinations_that_answer_and_that_do_not(self, tmp_path, port):
        receiver = Receiver(
            ReceiverSettings(ae_title="PACS", port=0, calling_ae_titles=("OSTEON",)),
            Spool(tmp_path),
            lambda _: None,
        )
        receiver.start()
        here = {"host": "127.0.0.1", "port": receiver.port}
        places = [
            {"name": "good", "ae_title": "PACS", **here},
            {"name": "title", "ae_title": "WRONG", **here},
            {"name": "away", "ae_title": "PACS", "host": "127.0.0.1", "port": port},
        ]
        try:
            settings = load_settings({"destinations": places})
            good, title, away = neighbours.check_destinations(settings)
        finally:
            receiver.stop()
        assert good.verdict is Verdict.OK
        assert "PEER_REFUSED" in title.sentence
        assert "PEER_UNAVAILABLE" in away.sentence
        [none] = neighbours.check_destinations(load_settings())
        assert none.verdict is Verdict.PROBLEM


def test_the_command_prints_a_line_each_and_its_status_says_it(tmp_path):
    def call(*arguments):
        return CliRunner().invoke(app, ["--data", str(tmp_path / "data"), "doctor", *arguments])

    done = call("database")
    assert done.exit_code == 1
    [line, clock] = done.stdout.splitlines()
    assert line.split()[:2] == ["problem", "DATABASE"]
    assert clock.split()[:2] == ["ok", "CLOCK"]
    migrate.upgrade(f"sqlite:///{tmp_path / 'data/osteon.sqlite'}")
    assert call("database", "broker").exit_code == 0
    document = json.loads(call("database", "--json").stdout)
    assert [row["verdict"] for row in document] == ["ok", "ok"]
    assert call("nonsense").exit_code == 2
