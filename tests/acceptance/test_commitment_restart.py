"""`osteon node` as a process, with rules and TLS: what it owes a scanner outlives its death."""

import subprocess
import sys

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from dicom_node.tls import ClientFiles, client_context
from tests.acceptance.peers import Service, free_port, wait_for
from tests.authority import Authority
from tests.dicom_node.conftest import mr_image, write_file

pytestmark = pytest.mark.acceptance
PUSH, INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
MR, EXPLICIT = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.1.2.1"


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "authority")


@pytest.fixture
def report_port():
    return free_port()


@pytest.fixture
def service(tmp_path, authority, report_port):
    """A node that knows one scanner, by title, address and certificate."""
    certificate, key = authority.issue("node", "127.0.0.1", kind="rsa")
    port = free_port()
    settings = tmp_path / "osteon.toml"
    settings.write_text(
        f"""
        data_dir = "{tmp_path / "data"}"
        [node]
        port = {port}
        free_space_floor_gib = 0
        [node.tls]
        certificate = "{certificate}"
        key = "{key}"
        authorities = "{authority.file}"
        [[node.peers]]
        name = "scanner 1"
        ae_titles = ["SCANNER"]
        addresses = ["127.0.0.0/8"]
        certificates = ["mr1.example.org"]
        host = "127.0.0.1"
        port = {report_port}
        """
    )
    made = Service(tmp_path, settings, port)
    yield made
    made.stop()


def test_a_report_reaches_a_scanner_after_the_node_was_killed(
    service, authority, report_port, tmp_path
):
    scanner = ClientFiles(authority.file, *authority.issue("mr1", "mr1.example.org", kind="rsa"))
    stranger = ClientFiles(authority.file, *authority.issue("ct1", kind="rsa"))
    path = write_file(mr_image(), tmp_path / "in")
    service.start("node")
    wait_for("the node's start", lambda: healthy(service), 60)

    assert associated(service.node_port, stranger) is None
    association = associated(service.node_port, scanner, [(evt.EVT_N_EVENT_REPORT, hang_up)])
    assert association.send_c_store(path).Status == 0
    asked = mr_image()
    status, _ = association.send_n_action(question(asked), 1, PUSH, INSTANCE)
    assert status.Status == 0
    owed = tmp_path / "data" / "spool" / "owed"
    wait_for("the end of the association", lambda: not association.is_established, 20)
    assert len(list(owed.glob("*.json"))) == 1  # nobody listens where it is to be brought
    service.kill("node")

    reports = []
    entity = AE("SCANNER")
    entity.add_supported_context(PUSH, EXPLICIT, scu_role=True, scp_role=True)
    handlers = [(evt.EVT_N_EVENT_REPORT, lambda event: take(event, reports))]
    listening = entity.start_server(("127.0.0.1", report_port), block=False, evt_handlers=handlers)
    try:
        service.start("node")
        wait_for("the report", lambda: reports, 60)
        wait_for("the end of what is owed", lambda: not list(owed.glob("*.json")), 10)
    finally:
        listening.shutdown()
    ((event_type, report),) = reports
    assert event_type == 1
    (kept,) = report.ReferencedSOPSequence
    assert kept.ReferencedSOPInstanceUID == asked.SOPInstanceUID


def healthy(service):
    command = [sys.executable, "-m", "service", "--config", str(service.settings), "health", "node"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def associated(port, tls, handlers=()):
    """Ask as a scanner; None: it was rejected."""
    entity = AE("SCANNER")
    for uid in (MR, PUSH):
        entity.add_requested_context(uid, EXPLICIT)
    association = entity.associate(
        "127.0.0.1",
        port,
        ae_title="OSTEON",
        tls_args=(client_context(tls), "127.0.0.1"),
        evt_handlers=list(handlers),
    )
    assert association.is_established or association.is_rejected
    return association if association.is_established else None


def question(image):
    asked, item = Dataset(), Dataset()
    asked.TransactionUID = "2.25.99"
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = MR, image.SOPInstanceUID
    asked.ReferencedSOPSequence = [item]
    return asked


def hang_up(event):
    event.assoc.abort()
    return 0, None


def take(event, reports):
    reports.append((event.event_type, event.event_information))
    return 0, None
