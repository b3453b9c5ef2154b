"""Orthanc and the node, each proven to the other by TLS: images in, commitment, objects out."""

import json
import threading
from dataclasses import replace

import pytest

from dicom_node.commitment_scp import CommitmentService, SpoolKeeps
from dicom_node.gate import Gate, Rule
from dicom_node.owed_reports import OwedReports
from dicom_node.peer import Peer, echo
from dicom_node.receive import Receiver, ReceiverSettings
from dicom_node.send import send
from dicom_node.spool import Spool
from dicom_node.tls import ClientFiles, ServerFiles, server_context
from tests.acceptance.peers import Orthanc, wait_for
from tests.authority import Authority
from tests.dicom_node.conftest import data_set_bytes, free_port, mr_image, write_file

pytestmark = pytest.mark.acceptance
MR = "1.2.840.10008.5.1.4.1.1.4"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pacs(tmp_path_factory, authority):
    """An Orthanc that speaks TLS only, believes our authority, and knows the node's port."""
    certificate, key = authority.issue("orthanc", "127.0.0.1", kind="rsa")
    node_port = free_port()
    orthanc = Orthanc(
        tmp_path_factory.mktemp("pacs") / "orthanc",
        DicomTlsEnabled=True,
        DicomTlsCertificate=str(certificate),
        DicomTlsPrivateKey=str(key),
        DicomTlsTrustedCertificates=str(authority.file),
        DicomTlsRemoteCertificateRequired=True,
        DicomModalities={
            "osteon": {"AET": "OSTEON", "Host": "127.0.0.1", "Port": node_port, "UseDicomTls": True}
        },
    )
    orthanc.node_port = node_port
    yield orthanc
    orthanc.stop()


@pytest.fixture(scope="module")
def us(authority, pacs):
    """How the node calls Orthanc."""
    ours = ClientFiles(authority.file, *authority.issue("osteon", "127.0.0.1", kind="rsa"))
    return Peer("ORTHANC", "127.0.0.1", pacs.dicom_port, tls=ours)


@pytest.fixture
def node(tmp_path, pacs, us):
    """The node's door, which lets Orthanc in by its certificate; yields its spool."""
    spool, stop = Spool(tmp_path / "spool", floor_bytes=0), threading.Event()
    owed = OwedReports(spool.root / "owed", {"ORTHANC": us}, back_off_s=(0.0,))
    settings = ReceiverSettings(
        port=pacs.node_port,
        gate=Gate(("OSTEON",), (Rule("pacs", ("ORTHANC",), certificate_names=("orthanc",)),)),
        tls=server_context(ServerFiles(us.tls.certificate, us.tls.key, us.tls.authorities)),
        services=(CommitmentService(SpoolKeeps(spool), owed).service(),),
    )
    receiver = Receiver(settings, spool, lambda _: None)
    bringing = threading.Thread(target=owed.run, args=[stop])
    receiver.start()
    bringing.start()
    yield spool
    stop.set()
    bringing.join()
    receiver.stop()


def test_images_and_commitment_come_over_tls(pacs, node, tmp_path):
    path = write_file(mr_image(), tmp_path / "in")
    uid = mr_image().SOPInstanceUID
    kept = json.loads(pacs.post("/instances", path.read_bytes()))["ID"]
    pacs.post("/modalities/osteon/store", kept.encode())
    (stored,) = (node.root / "studies").rglob("*.dcm")
    assert data_set_bytes(stored) == data_set_bytes(path)

    missing = "1.2.3.10.1.999"
    asked = json.dumps({"DicomInstances": [[MR, uid], [MR, missing]]}).encode()
    answer = json.loads(pacs.post("/modalities/osteon/storage-commitment", asked))
    report = wait_for("the report", lambda: _report(pacs, answer["Path"]), 30)
    assert [one["SOPInstanceUID"] for one in report["Success"]] == [uid]
    ((failed, why),) = [(f["SOPInstanceUID"], f["FailureReason"]) for f in report["Failures"]]
    assert (failed, why) == (missing, 0x0112)
    assert wait_for("the end of what is owed", lambda: not list(_owed(node)), 10) is True


def _owed(spool):
    return (spool.root / "owed").glob("*.json")


def _report(pacs, path):
    report = json.loads(pacs.post(path))
    return report if report["Status"] != "Pending" else None


def test_objects_go_out_over_tls(pacs, us, tmp_path):
    echo(us)
    path = write_file(mr_image(7), tmp_path / "out")
    (outcome,) = send(replace(us), [path])
    assert outcome.ok
    held = [one["MainDicomTags"]["SOPInstanceUID"] for one in pacs.instances()]
    assert f"{mr_image(7).SOPInstanceUID}" in held
