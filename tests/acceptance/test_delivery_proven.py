"""A real Orthanc answers for what it took, and sends everything back: no study is measured again.

The way that goes well; what a PACS may do wrong stands in `tests/workers/test_delivery.py`.
"""

import hashlib
import threading
import time
from types import SimpleNamespace

import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from dicom_node.completion import QuietPeriod
from dicom_node.contexts import is_input
from dicom_node.node import Node
from dicom_node.receive import ReceiverSettings
from dicom_node.send import Peer, send
from dicom_node.spool import Spool
from jobs.job import JobState
from jobs.migrate import upgrade
from jobs.result import ResultFile
from jobs.store import JobStore
from service.commitment_reports import commitment_reports
from tests.acceptance.peers import Orthanc, free_port, wait_for
from tests.workers.dicom_files import write_object
from workers.configuration import DeliveryRule, Destination
from workers.delivery import Courier, DeliveryWaits

# Of our writers (docs/dicom_conformance.md): each comes back from a PACS that routes everything.
KINDS = {
    "adc": "1.2.840.10008.5.1.4.1.1.30",
    "seg": "1.2.840.10008.5.1.4.1.1.66.4",
    "mip_series": "1.2.840.10008.5.1.4.1.1.7.2",
    "mip_overlay": "1.2.840.10008.5.1.4.1.1.7.4",
    "sc": "1.2.840.10008.5.1.4.1.1.7",
    "pdf": "1.2.840.10008.5.1.4.1.1.104.1",
    "sr": "1.2.840.10008.5.1.4.1.1.88.34",
}
MR = "1.2.840.10008.5.1.4.1.1.4"
_ROUTE = """
function OnStoredInstance(instanceId, tags, metadata)
  SendToModality(instanceId, 'osteon')
end
"""


@pytest.fixture
def site(tmp_path):
    """Our node with its store, and an Orthanc that knows it and routes all that it gets to it."""
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    upgrade(url)
    port = free_port()
    script = tmp_path / "route.lua"
    script.write_text(_ROUTE)
    spool = Spool(tmp_path / "spool", floor_bytes=0)
    queue = SimpleNamespace(submit=lambda _job_id: None)
    with JobStore(url) as store:
        services = (commitment_reports(store, queue),)
        settings = ReceiverSettings(port=port, services=services)
        node = Node(settings, spool, store, queue, QuietPeriod(0.5))
        stop = threading.Event()
        running = threading.Thread(target=node.run, args=(stop,))
        running.start()
        assert node.started.wait(20)
        pacs = Orthanc(
            tmp_path / "orthanc",
            DicomModalities={"osteon": ["OSTEON", "127.0.0.1", port]},
            LuaScripts=[str(script)],
        )
        yield SimpleNamespace(store=store, node=node, pacs=pacs, folder=tmp_path)
        pacs.stop()
        stop.set()
        running.join(30)


@pytest.fixture
def job(site):
    """A job with one object of each kind that we write."""
    study = generate_uid()
    image = write_object(site.folder / "mr.dcm", MR, generate_uid())
    _in_study(image, study)
    peer = Peer("OSTEON", "127.0.0.1", site.node.port, calling_ae_title="SCANNER")
    assert all(outcome.ok for outcome in send(peer, [image]))
    held = wait_for("its job", lambda: site.store.claim("test", 600.0), 20)
    files = []
    for kind, sop_class in KINDS.items():
        uid = generate_uid()
        path = _in_study(
            write_object(site.folder / "results" / f"{kind}.dcm", sop_class, uid), study
        )
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        uids = (sop_class, uid, "2.25.900")
        files.append(ResultFile(kind, path.name, "application/dicom", path.name, digest, *uids))
    site.store.keep_results(held, files)
    return held


def _in_study(path, study):
    data_set = dcmread(path)
    data_set.StudyInstanceUID = study
    data_set.PatientID = "SYNTHETIC"
    data_set.save_as(path)
    return path


@pytest.mark.parametrize(("proof", "proven"), [("commitment", "committed"), ("query", "found")])
def test_orthanc_proves_what_it_took_and_what_it_sends_back_opens_no_revision(
    site, job, proof, proven
):
    orthanc = Destination("orthanc", "ORTHANC", "127.0.0.1", site.pacs.dicom_port, "OSTEON", proof)
    rule = DeliveryRule(report_wait_s=20.0)
    courier = Courier(site.store, job, site.folder / "results", rule)
    _deliver(courier, orthanc)
    ways = {way.sop_instance_uid: str(way.status) for way in site.store.deliveries(job.id)}
    assert set(ways.values()) == {proven}
    at_the_pacs = {row["MainDicomTags"]["SOPInstanceUID"] for row in site.pacs.instances()}
    assert at_the_pacs == set(ways)
    site.store.deliver(job)
    wait_for("every result's coming back", lambda: _received(site, job) >= set(ways), 60)
    assert not any(is_input(sop_class) for sop_class in KINDS.values())
    wait_for("the closing of the study", lambda: not site.store.open_studies(), 20)
    assert [j.revision for j in site.store.jobs(study_uid=job.study_uid)] == [1]
    assert site.store.job(job.id).state is JobState.DELIVERED


def _received(site, job):
    return {i.sop_instance_uid for i in site.store.instances(job.study_uid)}


def _deliver(courier, destination):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            return courier.deliver([destination], lambda _done: None)
        except DeliveryWaits as waits:
            time.sleep(min(waits.again_s, 1.0))
    raise AssertionError(courier.store.deliveries(courier.job.id))
