"""Certificates are checked, for the name and not for the address that it means."""

import ssl
import subprocess

import pytest

from service.webhooks.post import NotTaken, Post
from service.webhooks.recipients import Target
from tests.service.webhooks.receiver import Receiver


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority of the test's own, and a certificate of it for ris.example."""
    folder = tmp_path_factory.mktemp("tls")
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    new += ["-nodes", "-days", "2"]
    ca = ["-keyout", folder / "ca.key", "-out", folder / "ca.crt"]
    signed = ["-CA", folder / "ca.crt", "-CAkey", folder / "ca.key"]
    signed += ["-addext", "subjectAltName=DNS:ris.example"]
    signed += ["-addext", "basicConstraints=critical,CA:FALSE"]
    own = ["-keyout", folder / "ris.key", "-out", folder / "ris.crt"]
    for command in (
        [*new, "-subj", "/CN=authority", *ca],
        [*new, "-subj", "/CN=ris", *signed, *own],
    ):
        subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture
def receiver(certificates):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates / "ris.crt", certificates / "ris.key")
    with Receiver(tls=tls) as opened:
        yield opened


def post(receiver, ca_file, host="ris.example"):
    target = Target("https", host, receiver.port, "/osteon")
    return Post(5.0, ca_file)(target, "127.0.0.1", {"webhook-id": "x"}, b"{}")


def test_a_receiver_of_a_known_authority_is_told(certificates, receiver):
    assert post(receiver, certificates / "ca.crt") == 204
    path, headers, body = receiver.got[0]
    assert (path, headers["Host"], body) == ("/osteon", f"ris.example:{receiver.port}", b"{}")


def test_a_certificate_for_another_name_is_refused(certificates, receiver):
    with pytest.raises(NotTaken, match="TLS"):
        post(receiver, certificates / "ca.crt", host="other.example")
    assert receiver.got == []


def test_an_authority_that_nobody_knows_is_refused(receiver):
    with pytest.raises(NotTaken, match="TLS"):
        post(receiver, None)
    assert receiver.got == []


def test_authorities_that_cannot_be_read_are_trusted_by_nobody(receiver, tmp_path):
    with pytest.raises(NotTaken, match="TLS"):
        post(receiver, tmp_path / "none.pem")
    assert receiver.got == []
