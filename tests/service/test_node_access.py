"""Who may send, from the settings to the door: rules, TLS, and what is said about them."""

import logging

import pytest
from typer.testing import CliRunner

from dicom_node.acceptor.services import Caller
from dicom_node.certificates import PeerCertificate
from dicom_node.receive import Receiver, ReceiverSettings
from dicom_node.rejection import AssociationRefused, CertificateNotAllowed
from dicom_node.spool import Spool
from service.cli.app import app
from service.node_access import gate_of, report_peers, server_tls, tell_if_closed
from service.preflight.door import check_door
from service.preflight.finding import Verdict
from service.settings import SettingsError, load_settings
from tests.authority import Authority

SCANNER = {"name": "scanner", "ae_titles": ["MR1", "MR2"], "addresses": ["10.0.0.0/24"]}


def node(**values):
    return load_settings({"node": values}).node


def admitted(node, title, address):
    try:
        return gate_of(node).rule_for(Caller(title, node.ae_title, address)).name
    except AssociationRefused as refused:
        return refused.code


@pytest.mark.parametrize(
    ("settings", "title", "address", "who"),
    [
        ({}, "ANY", "127.0.0.1", "this host"),
        ({}, "ANY", "10.0.0.1", "ADDRESS_NOT_ALLOWED"),
        ({"host": "0.0.0.0"}, "ANY", "10.0.0.1", "ADDRESS_NOT_ALLOWED"),  # noqa: S104
        ({"calling_ae_titles": ["PACS"]}, "PACS", "10.0.0.1", "node.calling_ae_titles"),
        ({"calling_ae_titles": ["PACS"]}, "ANY", "10.0.0.1", "CALLING_AE_TITLE_UNKNOWN"),
        ({"calling_ae_titles": ["PACS"]}, "ANY", "127.0.0.1", "CALLING_AE_TITLE_UNKNOWN"),
        ({"peers": [SCANNER]}, "MR2", "10.0.0.9", "scanner"),
        ({"peers": [SCANNER]}, "MR2", "10.0.1.9", "ADDRESS_NOT_ALLOWED"),
        ({"peers": [SCANNER]}, "PACS", "10.0.0.9", "CALLING_AE_TITLE_UNKNOWN"),
        (
            {"peers": [SCANNER], "calling_ae_titles": ["MR2"]},
            "MR2",
            "10.0.1.9",
            "node.calling_ae_titles",
        ),
        ({"peers": [{"name": "all"}]}, "ANY", "2001:db8::1", "all"),
    ],
)
def test_settings_become_rules(settings, title, address, who):
    assert admitted(node(**settings), title, address) == who


@pytest.mark.parametrize(
    ("settings", "about"),
    [
        ({"peers": [SCANNER | {"addresses": ["10.0.0.1/24"]}]}, "addresses"),
        ({"peers": [SCANNER | {"addresses": ["scanner.example.org"]}]}, "addresses"),
        ({"peers": [SCANNER | {"certificates": ["mr1"]}]}, "authorities"),
        ({"peers": [{"name": "pacs", "host": "pacs"}]}, "ae_titles"),
        ({"tls": {"authorities": "ca.pem"}}, "certificate"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, about):
    with pytest.raises(SettingsError, match=about):
        node(**settings)


def test_a_limit_of_an_hour_is_the_rules():
    (rule,) = gate_of(node(peers=[SCANNER | {"gib_an_hour": 1.5, "urgent": True}])).rules
    assert (rule.bytes_an_hour, rule.urgent) == (1536 * 2**20, True)


def test_a_door_that_others_reach_says_that_it_is_closed(caplog):
    for settings in ({}, {"host": "0.0.0.0", "peers": [SCANNER]}):  # noqa: S104
        tell_if_closed(node(**settings))
    assert caplog.records == []
    caplog.set_level(logging.WARNING)
    tell_if_closed(node(host="0.0.0.0"))  # noqa: S104
    assert [record.event for record in caplog.records] == ["nobody_may_send"]


def test_reports_go_to_the_peers_host_else_to_the_destination_of_that_title():
    pacs = {"name": "pacs", "ae_title": "PACS", "host": "pacs", "port": 104, "tls": {}}
    elsewhere = {"name": "mr2", "ae_title": "MR2", "host": "other", "port": 1}
    peers = [SCANNER | {"host": "10.0.0.9", "port": 11112}, {"name": "x", "ae_titles": ["X"]}]
    settings = load_settings({"node": {"peers": peers}, "destinations": [pacs, elsewhere]})
    known = report_peers(settings)
    places = {title: (peer.host, peer.port) for title, peer in known.items()}
    scanner = ("10.0.0.9", 11112)
    assert places == {"PACS": ("pacs", 104), "MR1": scanner, "MR2": scanner}
    assert (known["PACS"].tls is not None, known["MR1"].tls) == (True, None)
    assert known["MR1"].calling_ae_title == "OSTEON"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def tls(authority):
    """Settings of a node's TLS that asks clients for certificates."""
    certificate, key = authority.issue("node", "127.0.0.1")
    files = {"certificate": certificate, "key": key, "authorities": authority.file}
    return {name: str(path) for name, path in files.items()}


@pytest.fixture
def door(tmp_path, tls):
    """A door of TLS with these rules; yields how to open it and what it told."""
    opened = []

    def start(**settings):
        settings = node(tls=tls, **settings)
        receiver = Receiver(
            ReceiverSettings(port=0, gate=gate_of(settings), tls=server_tls(settings.tls)),
            Spool(tmp_path / "spool"),
            lambda _: None,
        )
        told = []
        receiver.listener = told.append
        receiver.start()
        opened.append(receiver)
        return receiver.port, told

    yield start
    for receiver in opened:
        receiver.stop()


def call(*words, **settings):
    given = [word for key, value in settings.items() for word in ("--set", f"node.{key}={value}")]
    return CliRunner().invoke(app, [*given, *words])


def sets(tls, port):
    return {"port": port} | {f"tls.{name}": value for name, value in tls.items()}


def test_a_health_check_proves_itself_to_a_door_of_tls(door, tls):
    port, told = door()
    done = call("health", "node", **sets(tls, port))
    assert (done.exit_code, done.stdout) == (0, "node works\n")
    assert [type(vital).__name__ for vital in told][:1] == ["AssociationAccepted"]
    assert call("echo", **sets(tls, port)).exit_code == 0


def test_a_health_check_that_no_rule_lets_in_is_healthy_and_makes_no_noise(door, tls, caplog):
    port, told = door(peers=[SCANNER])
    with_rules = sets(tls, port) | {"calling_ae_titles": '["ELSEWHERE"]'}
    done = call("health", "node", **with_rules)
    assert (done.exit_code, done.stdout) == (0, "node works\n")
    assert [vital.reason for vital in told if hasattr(vital, "reason")] == ["calling_ae_title"]
    told.clear()
    caplog.clear()
    ours = '[{"name": "scanner", "ae_titles": ["MR1"], "addresses": ["10.0.0.0/24"]}]'
    done = call("health", "node", **sets(tls, port) | {"peers": ours})
    assert (done.exit_code, done.stdout) == (0, "node works\n")
    assert [vital.reason for vital in told if hasattr(vital, "reason")] == ["own_check"]
    assert [record for record in caplog.records if record.name.startswith("dicom_node.")] == []


def test_who_shows_our_own_certificate_is_no_other(tls):
    """The rule of a peer is about its names, and ours are not among them."""
    rules = [SCANNER | {"addresses": [], "certificates": ["mr1.example.org"]}]
    settings = node(tls=tls, peers=rules)
    own = PeerCertificate(frozenset({"node", "127.0.0.1"}), "00" * 32)
    with pytest.raises(CertificateNotAllowed):
        gate_of(settings).admit(Caller("MR1", "OSTEON", "127.0.0.1", own))


def found(**settings):
    return {f.code: (f.verdict, f.sentence) for f in check_door(load_settings(settings))}


def test_the_doctor_says_who_may_send():
    def verdict(**values):
        return found(node=values)["WHO_MAY_SEND"]

    assert verdict()[0] is Verdict.OK
    assert verdict(host="0.0.0.0")[0] is Verdict.PROBLEM  # noqa: S104
    assert verdict(peers=[SCANNER], host="node") == (Verdict.OK, "scanner")
    assert "proves nothing" in verdict(calling_ae_titles=["PACS"])[1]
    anybody = verdict(peers=[{"name": "all"}])
    assert anybody[0] is Verdict.PROBLEM
    assert "anybody" in anybody[1]


def test_the_doctor_looks_at_certificates_of_both_sides(authority, tls, tmp_path):
    assert found()["NODE_TLS"][0] is Verdict.SKIPPED
    assert found(node={"tls": tls})["NODE_TLS"][0] is Verdict.OK
    old, key = authority.issue("old", days=20)
    ends = found(node={"tls": {"certificate": str(old), "key": str(key)}})["NODE_TLS"]
    assert ends[0] is Verdict.PROBLEM
    assert "old.crt is valid until" in ends[1]
    gone = found(node={"tls": tls | {"key": str(tmp_path / "gone.key")}})["NODE_TLS"]
    assert gone[0] is Verdict.PROBLEM
    assert "gone.key" in gone[1]
    pacs = {"name": "pacs", "ae_title": "PACS", "host": "pacs", "port": 104}
    assert "PEER_TLS" not in found(destinations=[pacs])
    assert found(destinations=[pacs | {"tls": {}}])["PEER_TLS"][0] is Verdict.OK
    shown = {"certificate": str(old), "key": str(key), "authorities": str(authority.file)}
    assert found(destinations=[pacs | {"tls": shown}])["PEER_TLS"][0] is Verdict.PROBLEM
    lost = {"authorities": str(tmp_path / "gone.pem")}
    assert "gone.pem" in found(destinations=[pacs | {"tls": lost}])["PEER_TLS"][1]


def test_the_doctor_names_who_has_to_call_us_in_return():
    pacs = {"name": "pacs", "ae_title": "PACS", "host": "pacs", "port": 104, "proof": "commitment"}
    archive = {"host": "archive", "ae_title": "ARCHIVE", "retrieve": "move"}

    def missing(**settings):
        every = load_settings(settings | {"destinations": [pacs], "archive": archive})
        return [f.sentence.split(" calls")[0] for f in check_door(every) if f.code == "CALLS_BACK"]

    assert missing() == ["pacs", "the archive"]
    assert missing(node={"calling_ae_titles": ["PACS"]}) == ["the archive"]
    assert missing(node={"peers": [{"name": "all"}]}) == []
    quiet = [pacs | {"proof": "query"}]
    assert "CALLS_BACK" not in found(destinations=quiet, archive=archive | {"retrieve": "get"})
