"""Calls over TLS to DCMTK's storescp, which knows nothing of ours."""

from dataclasses import replace

import pytest

from dicom_node.errors import PeerRefused, PeerUnavailable
from dicom_node.network import Timeouts
from dicom_node.send import Peer, echo, send
from dicom_node.tls import ClientFiles
from tests.authority import Authority

PATIENT = Timeouts(connect_s=60, negotiate_s=60)  # a test machine may be busy


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def pacs(storescp, authority):
    """A PACS that takes TLS and clients that its authority knows; yields how to call it."""
    certificate, key = authority.issue("pacs", "127.0.0.1", kind="rsa")
    ours = authority.issue("osteon", kind="rsa")
    with storescp("+tls", key, certificate, "+cf", authority.file) as (port, folder):
        tls = ClientFiles(authority.file, *ours)
        yield Peer("PACS", "127.0.0.1", port, timeouts=PATIENT, tls=tls), folder


def test_objects_reach_a_real_peer_over_tls(pacs, instances, tmp_path):
    peer, folder = pacs
    echo(peer)
    path = instances.write_file(instances.mr_image(), tmp_path / "out")
    (outcome,) = send(peer, [path])
    assert outcome.ok
    (received,) = folder.iterdir()
    assert instances.data_set_bytes(received) == instances.data_set_bytes(path)


def test_a_peer_that_we_do_not_believe_gets_nothing(pacs, tmp_path):
    peer, _ = pacs
    stranger = Authority(tmp_path, "Stranger")
    with pytest.raises(PeerRefused, match=r"TLS to PACS at .* self-signed certificate"):
        echo(replace(peer, tls=replace(peer.tls, authorities=stranger.file)))
    other = replace(peer.tls, server_name="other.example.org")
    with pytest.raises(PeerRefused, match="Hostname mismatch"):
        echo(replace(peer, tls=other))
    echo(replace(peer, tls=replace(other, check_name=False)))


def test_a_peer_that_wants_a_certificate_says_so(pacs, tmp_path):
    peer, _ = pacs
    with pytest.raises(PeerRefused, match=r"TLS to PACS .* alert"):
        echo(replace(peer, tls=ClientFiles(peer.tls.authorities)))
    stranger = ClientFiles(peer.tls.authorities, *Authority(tmp_path, "Stranger").issue("osteon"))
    with pytest.raises(PeerRefused, match=r"TLS to PACS .* alert"):
        echo(replace(peer, tls=stranger))


def test_files_that_do_not_work_need_a_person(pacs, tmp_path):
    peer, _ = pacs
    with pytest.raises(PeerRefused, match=r"gone\.pem"):
        echo(replace(peer, tls=ClientFiles(tmp_path / "gone.pem")))


def test_tls_and_no_tls_do_not_meet(pacs, storescp):
    peer, _ = pacs
    with pytest.raises(PeerUnavailable, match="does not answer"):
        echo(replace(peer, tls=None))
    with storescp() as (port, _), pytest.raises((PeerUnavailable, PeerRefused)):
        echo(replace(peer, port=port))
