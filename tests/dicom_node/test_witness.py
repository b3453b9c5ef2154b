"""Who brought what, and who was turned away: told once an association and study, to the audit."""

import socket
import ssl
from contextlib import suppress

from dicom_node.tls import ServerFiles, server_context
from jobs.transfers import Transfer
from tests.authority import Authority
from tests.dicom_node.conftest import until

MR = "1.2.840.10008.5.1.4.1.1.4"


class Notes:
    """A witness that remembers."""

    def __init__(self):
        self.transfers, self.refused = [], []

    def received(self, transfer):
        self.transfers.append(transfer)

    def turned_away(self, calling_ae_title, address, code):
        self.refused.append((calling_ae_title, address, code))


def test_an_association_with_two_studies_is_two_transfers(receiving, storescu, instances, tmp_path):
    notes = Notes()
    paths = [
        instances.write_file(instances.mr_image(n, study, f"{study}.1"), tmp_path / study)
        for study in ("1.2.3.10", "1.2.3.20")
        for n in (1, 2, 3)
    ]
    with receiving(witness=notes) as receiver:
        code, text = storescu(receiver.port, *paths[:4], calling="MR1")
        assert code == 0, text
        code, text = storescu(receiver.port, *paths[4:], calling="MR2")
        assert code == 0, text
    assert sorted(notes.transfers, key=lambda t: (t.peer, t.study_uid)) == [
        Transfer("MR1", "127.0.0.1", "1.2.3.10", {MR: 3}, {}),
        Transfer("MR1", "127.0.0.1", "1.2.3.20", {MR: 1}, {}),
        Transfer("MR2", "127.0.0.1", "1.2.3.20", {MR: 2}, {}),
    ]


def test_peers_that_are_turned_away_are_told_with_the_reason(
    receiving, storescu, instances, tmp_path
):
    notes = Notes()
    path = instances.write_file(instances.mr_image(), tmp_path)
    with receiving(witness=notes, calling_ae_titles=("MR1",)) as receiver:
        storescu(receiver.port, path, calling="EVIL")
        storescu(receiver.port, path, calling="MR1", called="OTHER")
    assert notes.refused == [
        ("EVIL", "127.0.0.1", "CALLING_AE_TITLE_UNKNOWN"),
        ("MR1", "127.0.0.1", "CALLED_AE_TITLE_UNKNOWN"),
    ]
    assert notes.transfers == []


def test_a_peer_that_shows_no_certificate_is_told_too(receiving, tmp_path):
    notes, authority = Notes(), Authority(tmp_path)
    certificate, key = authority.issue("node", "127.0.0.1")
    context = server_context(ServerFiles(certificate, key, authority.file))
    nobody = ssl.create_default_context(cafile=authority.file)
    with receiving(witness=notes, tls=context) as receiver:
        plain = socket.create_connection(("127.0.0.1", receiver.port), 10)
        with plain, suppress(OSError), nobody.wrap_socket(plain, server_hostname="127.0.0.1") as s:
            s.recv(1)  # in TLS 1.3 the refusal comes after the handshake
        assert until(lambda: notes.refused)
    assert notes.refused == [("unknown", "127.0.0.1", "TLS_HANDSHAKE_FAILED")]
