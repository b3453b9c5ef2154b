"""The System screen, and the same values by REST."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from dicom_node.receive import Receiver, ReceiverSettings
from dicom_node.spool import Spool
from jobs.errors import StoreUnavailable
from jobs.job import Failure, Stage
from jobs.result import ResultFile
from service.api.app import create_app
from service.configured import Configured, DicomPeer
from service.console.vendor import vendored
from tests.service.console.elements import Elements
from tests.service.web import TestClient
from tests.workers.served import Fraction, write_model


@pytest.fixture
def pacs(tmp_path):
    """A DICOM application that answers."""
    spool = Spool(tmp_path / "pacs", floor_bytes=0)
    receiver = Receiver(ReceiverSettings(ae_title="PACS", port=0), spool, lambda _instance: None)
    with spool.claim():
        receiver.start()
        yield receiver
        receiver.stop()


@pytest.fixture
def site(site, tmp_path):
    write_model(tmp_path / "models/anatomy", Fraction())
    peers = (
        DicomPeer("pacs", "PACS", "127.0.0.1", 1, "OSTEON"),
        DicomPeer("away", "AWAY", "127.0.0.1", 1, "OSTEON"),
    )
    known = Configured(peers=peers, model_stages=("anatomy",))
    return replace(site, configured=known, model_dirs=(tmp_path / "models/anatomy",))


def page(client):
    answer = client.get("/system")
    assert answer.status_code == 200
    return Elements(answer.text)


def test_it_says_what_is_missing_and_what_to_read(client):
    shown = page(client)
    assert "missing" in shown["check-dicom_node"]
    assert "there" in shown["check-store"]
    assert "OsteonNodeDeaf" in shown["alert-OsteonNodeDeaf"]
    assert "No worker answers" in shown["alert-OsteonWorkerGone"]


def test_queue_states_and_the_last_day_are_counted(client, queue, deliver, begin, store):
    deliver(1)
    store.reject(begin(2), Failure("NO_USABLE", "nothing to measure", Stage.READ))
    queue(3)
    shown = page(client)
    assert shown["queued-routine"] == "1"
    assert shown["count-delivered"] == "1 delivered"
    assert shown["count-queued"] == "1 queued"
    assert shown["day-rejected"] == "1 rejected"
    assert shown["day-delivered"] == "1 delivered"
    assert "1 could start now" in shown["oldest"]


def test_workers_are_there_or_silent_and_what_they_work_on_is_a_link(client, begin, store):
    job = begin(1, "ZEBRAFINCH, Z")
    store.tell_worker("host:7", "1.2.3", 30.0)
    html = client.get("/system").text
    shown = Elements(html)
    idle, busy = sorted(shown.texts["worker"])
    assert "host:7" in idle
    assert "there" in idle
    assert "1.2.3" in idle
    assert "test" in busy  # holds a lease and never spoke
    assert "silent" in busy
    assert f'href="/studies/{job.study_uid}"' in html
    assert "ZEBRAFINCH" not in html
    assert "alert-OsteonWorkerGone" not in shown


def test_models_are_held_against_their_files_and_say_when_they_were_used(
    client, begin, store, site
):
    job = begin(1)
    shown = page(client)
    assert "agree" in shown["model-anatomy-1"]
    assert "not recorded" in shown["model-anatomy-1"]
    store.enter_stage(job, Stage.ANATOMY)
    store.leave_stage(job, Stage.ANATOMY, 4.25)
    shown = page(client)
    assert "stage anatomy, 4.2 s" in shown["model-anatomy-1"]
    (row,) = client.get("/api/v1/models").json()
    assert row["sha256"] in shown["model-anatomy-1"]
    with (site.model_dirs[0] / "1/model.pt").open("ab") as file:
        file.write(b"x")
    shown = page(client)
    assert "differ" in shown["model-anatomy-1"]
    assert "alert-OsteonModelNotReady" in shown
    (row,) = client.get("/api/v1/models").json()
    assert not row["sound"]


def test_an_echo_is_one_sentence_and_its_time(site, pacs):
    peers = (replace(site.configured.peers[0], port=pacs.port), site.configured.peers[1])
    answering = replace(site, configured=replace(site.configured, peers=peers))
    with TestClient(create_app(answering)) as client:
        shown = Elements(client.post("/system/peers/pacs/echo").text)
        assert shown["echo-verdict"] == "answers"
        assert shown["echo-sentence"] == f"PACS at 127.0.0.1:{pacs.port} answers OSTEON"
        assert "pacs" in shown["peer-pacs"]
        part = client.post("/system/peers/away/echo", headers={"HX-Request": "true"}).text
        assert "<html" not in part
        shown = Elements(part)
        assert shown["echo-verdict"] == "does not answer"
        assert "AWAY at 127.0.0.1:1 does not answer" in shown["echo-sentence"]
        heard = client.post("/api/v1/nodes/pacs/echo").json()
        assert (heard["node"], heard["ok"], heard["code"]) == ("pacs", True, "ECHO_OK")
        heard = client.post("/api/v1/nodes/away/echo").json()
        assert (heard["ok"], heard["code"]) == (False, "PEER_UNAVAILABLE")


def test_only_peers_of_the_settings_are_asked(client):
    for path in ("/system/peers/127.0.0.1/echo", "/api/v1/nodes/other/echo"):
        assert client.post(path).status_code == 404
    assert [node["name"] for node in client.get("/api/v1/nodes").json()] == ["pacs", "away"]


def test_an_echo_changes_nothing_by_being_looked_at(client):
    assert client.get("/system/peers/pacs/echo").status_code == 405


def test_without_destinations_it_says_where_to_name_them(site):
    with TestClient(create_app(replace(site, configured=Configured()))) as client:
        assert "[[destinations]]" in page(client)["no-peers"]


def test_without_the_database_the_rest_is_shown(site, store, monkeypatch):
    def away(*_given):
        raise StoreUnavailable("away")

    for name in ("counts", "overview", "workers"):
        monkeypatch.setattr(store, name, away)
    with TestClient(create_app(site)) as client:
        shown = page(client)
        assert "no-database" in shown
        assert "alert-OsteonDatabaseAway" in shown
        assert "agree" in shown["model-anatomy-1"]
        told = client.get("/api/v1/system").json()
    assert (told["queue"], told["workers"], told["last_day"]) == (None, None, None)
    assert "OsteonDatabaseAway" in {alert["name"] for alert in told["alerts"]}


def test_versions_disks_and_licences_are_those_of_this_process(client):
    shown = page(client)
    assert shown["version-osteon"] == "0.1.0"
    assert shown["version-schema"] == client.get("/api/v1/system").json()["versions"]["schema"]
    for package in vendored():
        assert package.name in shown["licences"]
        assert package.licence in shown["licences"]
    assert "GiB" in shown["disk-spool"]
    assert "GiB" in shown["disk-results"]


def test_rest_says_what_the_page_says(client, queue, store):
    queue(1)
    store.tell_worker("host:7", "1.2.3", 30.0)
    shown, told = page(client), client.get("/api/v1/system").json()
    assert str(told["queue"]["queued"]["routine"]) == shown["queued-routine"] == "1"
    assert f"{told['queue']['jobs']['queued']} queued" == shown["count-queued"]
    assert [worker["owner"] for worker in told["workers"]] == ["host:7"]
    assert {a["name"] for a in told["alerts"]} == {
        name.removeprefix("alert-") for name in shown.texts if name.startswith("alert-")
    }
    for check in told["checks"]:
        assert check["reason"] in shown[f"check-{check['name']}"]


def test_a_destination_that_does_not_answer_is_said_with_what_waits_for_it(client, begin, store):
    job = begin(1)
    seg = ResultFile(
        "seg", "s.dcm", "application/dicom", "s", "1" * 64, "1.2.3", "2.25.1", "2.25.9"
    )
    store.keep_results(job, [seg])
    store.expect_delivery(job, "pacs")
    assert client.get("/api/v1/system").json()["destinations"][0]["failures"] == 0
    for _ in range(2):
        store.destination_failed("pacs", "PEER_UNAVAILABLE", (600.0,))
    (told,) = client.get("/api/v1/system").json()["destinations"]
    assert (told["name"], told["waiting"], told["failures"]) == ("pacs", 1, 2)
    assert 590 < told["called_again_in_s"] <= 600
    text = page(client)["away-pacs"]
    assert "2 times in a row" in text
    assert "PEER_UNAVAILABLE" in text


def test_a_low_disk_is_an_alert(site, monkeypatch):
    usage = SimpleNamespace(total=2**40, used=2**40 - 2**30, free=2**30)
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: usage)
    with TestClient(create_app(site)) as client:
        shown = page(client)
    assert len(shown.texts["alert-OsteonDiskLow"]) == 2
    assert "alert-OsteonSpoolFull" in shown
