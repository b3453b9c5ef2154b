import logging
from ipaddress import ip_network

import pytest

from dicom_node.acceptor.services import Caller as Whoever
from dicom_node.certificates import PeerCertificate
from dicom_node.gate import LOOPBACK, Gate, Rule, network, plain_address, simple_gate
from dicom_node.rejection import (
    REFUSALS,
    AddressNotAllowed,
    AssociationRefused,
    CalledAeTitleUnknown,
    CallingAeTitleUnknown,
    CertificateNotAllowed,
    OwnCheckRefused,
)

MR1 = PeerCertificate(frozenset({"mr1.example.org", "uri:mr1"}), "ab" * 32)
OTHER = PeerCertificate(frozenset({"mr2.example.org"}), "cd" * 32)


def Caller(calling="MR1", called_ae_title="OSTEON", address="10.1.2.3", certificate=None):  # noqa: N802
    return Whoever(calling, called_ae_title, address, certificate)


SCANNER = Rule(
    "scanner",
    ("MR1", "MR2"),
    (network("10.1.2.0/24"), network("fd00:1::/32")),
    ("mr1.example.org",),
)
PACS = Rule("pacs", ("PACS",), (network("10.9.0.7"),), urgent=True)
ANY_TITLE = Rule("segment", addresses=(network("192.0.2.0/28"),))
PINNED = Rule("pinned", ("PIN",), certificate_names=("SHA256:" + "CD" * 32,))
GATE = Gate(("OSTEON", "OSTEON2"), (SCANNER, PACS, ANY_TITLE, PINNED))


@pytest.mark.parametrize(
    ("caller", "rule"),
    [
        (Caller(certificate=MR1), "scanner"),
        (Caller(" MR2 ", "OSTEON2 ", certificate=MR1), "scanner"),
        (Caller(address="fd00:1:2::9", certificate=MR1), "scanner"),
        (Caller(address="::ffff:10.1.2.3", certificate=MR1), "scanner"),
        (Caller("PACS", address="10.9.0.7"), "pacs"),
        (Caller("PACS", address="10.9.0.7", certificate=OTHER), "pacs"),
        (Caller("WHOEVER", address="192.0.2.15"), "segment"),
        (Caller("PACS", address="192.0.2.1"), "segment"),
        (Caller("PIN", certificate=OTHER), "pinned"),
    ],
)
def test_who_comes_in_and_by_which_rule(caller, rule):
    assert GATE.admit(caller).name == rule


@pytest.mark.parametrize(
    ("caller", "refusal"),
    [
        (Caller("mr1", certificate=MR1), AddressNotAllowed),  # titles are case-sensitive
        (Caller(certificate=None), CertificateNotAllowed),
        (Caller(certificate=OTHER), CertificateNotAllowed),
        (Caller(address="10.1.3.3", certificate=MR1), AddressNotAllowed),
        (Caller(address="::ffff:10.1.3.3", certificate=MR1), AddressNotAllowed),
        (Caller(address="fd00:2::1", certificate=MR1), AddressNotAllowed),
        (Caller(address="", certificate=MR1), AddressNotAllowed),
        (Caller(address="scanner.example.org", certificate=MR1), AddressNotAllowed),
        (Caller("PACS", address="10.9.0.8"), AddressNotAllowed),
        (Caller("PIN", certificate=MR1), CertificateNotAllowed),
        (Caller(certificate=MR1, called_ae_title="OTHER"), CalledAeTitleUnknown),
        (Caller(certificate=MR1, called_ae_title="osteon"), CalledAeTitleUnknown),
        # Who is not let in does not learn whether what it called is here.
        (Caller(called_ae_title="OTHER"), CertificateNotAllowed),
    ],
)
def test_who_is_refused_and_why(caller, refusal):
    with pytest.raises(refusal):
        GATE.admit(caller)


def test_a_title_that_no_rule_names_is_unknown():
    gate = Gate(rules=(SCANNER, PACS))
    with pytest.raises(CallingAeTitleUnknown):
        gate.admit(Caller("STRANGER", certificate=MR1))
    with pytest.raises(CallingAeTitleUnknown):
        Gate(rules=()).admit(Caller())


def test_whatever_is_wrong_with_the_caller_it_hears_the_same():
    """PS3.8 Table 9-21: result 1 permanent, source 1 service user, reason 3 calling, 7 called."""
    said = {
        (refused.result, refused.source, refused.reason)
        for refused in REFUSALS
        if refused.reason == 3
    }
    assert said == {(1, 1, 3)}
    called = CalledAeTitleUnknown
    assert (called.result, called.source, called.reason) == (1, 1, 7)


def test_each_refusal_has_a_code_and_a_label_of_its_own():
    assert len({refused.code for refused in REFUSALS}) == len(REFUSALS)
    assert len({refused.label for refused in REFUSALS}) == len(REFUSALS)
    for refused in REFUSALS:  # the values of PS3.8 Table 9-21
        known = {1: {1, 2, 3, 7}, 2: {1, 2}, 3: {1, 2}}
        assert refused.result in {1, 2}
        assert refused.reason in known[refused.source]


def test_a_health_check_that_is_refused_makes_no_noise(caplog):
    gate = Gate(("OSTEON",), (SCANNER,))
    for address in ("127.0.0.1", "::1"):
        with pytest.raises(OwnCheckRefused):
            gate.admit(Caller("OSTEON", address=address))
    assert caplog.records == []
    with pytest.raises(CallingAeTitleUnknown):
        gate.admit(Caller("OSTEON"))
    assert len(caplog.records) == 1


def test_a_refusal_is_logged_without_what_the_peer_wrote(caplog):
    caplog.set_level(logging.DEBUG)
    caller = Caller("CANARY^ONE", "CANARY^TWO", "10.1.2.3", MR1)
    with pytest.raises(AssociationRefused):
        Gate(rules=(SCANNER,)).admit(caller)
    (line,) = caplog.records
    assert (line.event, line.code) == ("association_refused", "CALLING_AE_TITLE_UNKNOWN")
    assert "10.1.2.3" in line.getMessage()
    assert "CANARY" not in line.getMessage()
    with pytest.raises(AssociationRefused):
        Gate(rules=(SCANNER,)).admit(Caller(address="CANARY\nforged"))
    assert "CANARY" not in caplog.text


def test_a_flood_at_the_door_is_none_in_the_log(caplog, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("dicom_node.refusal_log.time.monotonic", lambda: now[0])
    gate = Gate(rules=(SCANNER,))

    def knock(times):
        caplog.clear()
        for _ in range(times):
            with pytest.raises(AssociationRefused):
                gate.admit(Caller("STRANGER"))
        return [record.getMessage() for record in caplog.records]

    assert len(knock(500)) == 60
    now[0] += 59
    assert knock(500) == []
    now[0] += 2
    first, second = knock(1)
    assert first == "940 more associations were refused"
    assert "10.1.2.3" in second


def test_plain_settings_are_one_rule():
    gate = simple_gate("OSTEON", ["PACS "])
    assert gate.admit(Caller("PACS")).name == "calling_ae_titles"
    with pytest.raises(CallingAeTitleUnknown):
        gate.admit(Caller("MR1"))
    with pytest.raises(CalledAeTitleUnknown):
        gate.admit(Caller("PACS", "OTHER"))
    assert not simple_gate("OSTEON").admit(Caller("ANYBODY")).urgent
    simple_gate("OSTEON", check_called=False).admit(Caller(called_ae_title="OTHER"))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.1", "10.0.0.1/32"),
        ("fd00::/8", "fd00::/8"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:10.0.0.1", "10.0.0.1/32"),
        ("::/0", "::/0"),
    ],
)
def test_ranges(text, meant):
    assert network(text) == ip_network(meant)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0", "mr1.example.org", "", "10.0.0.0/33"])
def test_what_is_no_range(text):
    with pytest.raises(ValueError, match=r".*"):
        network(text)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_known_in_each_of_its_forms(address):
    assert Rule("here", addresses=LOOPBACK).reaches(plain_address(address))
    assert not Rule("here", addresses=LOOPBACK).reaches(plain_address("10.0.0.1"))
