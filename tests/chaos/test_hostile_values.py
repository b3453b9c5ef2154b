"""D-20 and D-21: values that must not be told, and values that must not be obeyed.

One system with its console receives studies whose every text is a canary or an attack, on paths
that end well and on paths that end in errors. tests/acceptance/test_no_patient_leaks.py does this
with the real measurement and its results.
"""

import http.client
import json
import re
import socket
import struct
import threading
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
from pynetdicom import AE, build_context

from jobs.job import JobState
from jobs.store import JobStore
from service.logs import ALWAYS, SOMETIMES
from tests.acceptance.peers import free_port, wait_for
from tests.acceptance.test_no_patient_leaks import rows_but_of_labels
from tests.chaos import invariants
from tests.chaos.figures import tell
from tests.chaos.quick_measuring import RAISES
from tests.chaos.small_studies import MR, write_image, write_small_study
from tests.chaos.system import embedded

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

LIMIT_S = 120
CANARIES = (
    "ZEBRAFINCH",
    "ZF-77-ID",
    "ZFACCESSION",
    "19471103",
    "ZFWARD",
    "ZFHOSPITAL",
    "ZFPRIVATE",
)
MARKED = {
    "PatientName": "ZEBRAFINCH^CANARY",
    "PatientID": "ZF-77-ID",
    "AccessionNumber": "ZFACCESSION",
    "PatientBirthDate": "19471103",
    "StudyDescription": "body of ZEBRAFINCH",
    "InstitutionName": "ZFHOSPITAL",
    "ReferringPhysicianName": "ZFWARD^DOCTOR",
    "PatientComments": "ZFPRIVATE",
}
ATTACKS = (
    "<script>alert(1)</script>",
    "'; DROP TABLE jobs;--",
    "%s%n%x",
    "../../../tmp/osteon-pwned",
    '"}\n{"event": "forged", "level": "info"}',
    "\u202e\u0007gpj.exe",
    "A" * 4000,
)
TITLES = (
    b"../../../tmp/xx ",
    b'"}\n{"event":"f"',
    b"%s%n%x%d%s%n%x%d",
    b"\x00\x01\x1b[2J\xff\xfe\x7f\r\n",
)


@pytest.fixture(scope="module")
def ports():
    return {"api": free_port(), "node": free_port(), "worker": free_port()}


@pytest.fixture(scope="module")
def system(place, pacs, ports):
    options = {
        "OSTEON_API__PORT": str(ports["api"]),
        "OSTEON_MONITORING__NODE_PORT": str(ports["node"]),
        "OSTEON_MONITORING__WORKER_PORT": str(ports["worker"]),
    }
    made = embedded(place / "osteon", pacs, ("node", "worker", "api"), **options)
    with made:
        wait_for("the console's start", lambda: said(ports["api"], "/readyz"), LIMIT_S)
        yield made


def answer(port, path, body=None):
    """Return status and text of what is answered; (0, "") where nobody answers."""
    data = None if body is None else json.dumps(body).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {} if data is None else {"Content-Type": "application/json"}
    try:
        connection.request("GET" if data is None else "POST", path, data, headers)
        found = connection.getresponse()
        return found.status, found.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def said(port, path):
    return answer(port, path)[1]


def wait_for_the_end(system, *studies):
    def ended():
        with system.store() as store:
            left = list(invariants.unfinished(system.acknowledged.promised(), store))
            return system.indexed(store) and not left

    wait_for("the end of every study", ended, LIMIT_S)
    with system.store() as store:
        return [store.jobs(study_uid=study.uid)[0] for study in studies]


def damaged(study, folder):
    """Objects that the node has to refuse: of another UID than announced, and none at all."""
    whole = write_image(folder, study, 90)
    content = whole.read_bytes()
    start = content.rindex(b".90")
    other = folder / "other.dcm"
    other.write_bytes(content[:start] + b".91" + content[start + 3 :])
    none = folder / "none.dcm"
    begin = content.index(b"DICM")
    meta = 132 + 12 + struct.unpack("<I", content[begin + 12 : begin + 16])[0]
    none.write_bytes(content[:meta] + b"ZEBRAFINCH^CANARY" * 40)
    return other, none


def everything_said(system, ports, jobs):
    texts = [said(port, "/metrics") for port in ports.values()]
    paths = ["/readyz", "/healthz", "/api/v1/jobs", "/api/v1/system", "/system"]
    paths += [f"/api/v1/jobs/{job.id}" for job in jobs]
    paths += [f"/api/v1/jobs/{job.id}/events" for job in jobs]
    texts += [said(ports["api"], path) for path in paths]
    texts += [path.read_text() for path in system.folder.glob("*.log")]
    texts += rows_but_of_labels(system.data / "osteon.sqlite")
    texts += [str(path) for path in system.folder.rglob("*")]
    for name in system.names:
        process = psutil.Process(system.pid(name))
        texts += [*process.cmdline(), str(process.environ())]
    return texts


def test_no_error_tells_who_the_patient_is(system, ports, tmp_path):
    whole = write_small_study(tmp_path / "whole", 3, **MARKED)
    broken = write_small_study(
        tmp_path / "broken", 3, **{**MARKED, "StudyDescription": f"{RAISES} ZEBRAFINCH"}
    )
    sender = system.sender(calling_ae_title="ZFSCANNER")
    for study in (whole, broken):
        sender.send_all(study.paths, study.uid)
    conflict = write_image(tmp_path / "conflict", whole, 1, PatientComments="ZFPRIVATE two")
    assert sender.offer(conflict, whole.uid) == 0xB000
    statuses = [sender.offer(path, whole.uid) for path in damaged(whole, tmp_path / "damaged")]
    assert statuses == [0xA900, 0xC000]
    jobs = wait_for_the_end(system, whole, broken)
    assert [job.state for job in jobs] == [JobState.DELIVERED, JobState.FAILED]
    texts = everything_said(system, ports, jobs)
    together = "\n".join(texts).upper()
    assert jobs[1].id.upper() in together  # what is searched is the real thing
    found = {canary for canary in CANARIES if canary in together}
    tell(f"{len(together) / 1e6:.2f} MB searched for {len(CANARIES)} canaries: {found or 0}")
    assert not found
    spool = system.data / "spool/studies"
    assert any(b"ZEBRAFINCH" in path.read_bytes() for path in spool.rglob("*.dcm"))


def test_no_text_of_a_study_is_obeyed(system, ports, tmp_path):
    studies = [
        write_small_study(
            tmp_path / str(number),
            2,
            SpecificCharacterSet="ISO_IR 192",
            PatientName=text[:60],
            PatientID=text[:60],
            AccessionNumber=text[:60],
            StudyDescription=text[:60],
            StudyID=text[:60],
        )
        for number, text in enumerate(ATTACKS)
    ]
    for study in studies:
        system.sender().send_all(study.paths, study.uid)
    jobs = wait_for_the_end(system, *studies)
    assert {job.state for job in jobs} == {JobState.DELIVERED}
    pages = [said(ports["api"], path) for path in ("/", *(f"/studies/{s.uid}" for s in studies))]
    assert all(pages)
    assert any("alert(1)" in page for page in pages)  # the name is shown, as text
    assert not any(re.search(r"<script[^>]*>[^<]*alert\(1\)", page) for page in pages)
    assert_nothing_was_obeyed(system)


@pytest.mark.parametrize("text", ATTACKS, ids=range(len(ATTACKS)))
def test_no_text_of_a_request_is_obeyed(system, ports, text):
    quoted = quote(text[:500], safe="")
    paths = [
        f"/api/v1/studies/{quoted}",
        f"/api/v1/studies?cursor={quoted}&sort={quoted}",
        f"/api/v1/jobs/{quoted}",
        f"/api/v1/jobs?state={quoted}&after={quoted}",
        f"/studies/{quoted}",
        f"/?q={quoted}",
    ]
    answers = [answer(ports["api"], path) for path in paths]
    answers.append(answer(ports["api"], "/api/v1/studies/search", {"text": text}))
    for status, page in answers:
        assert 200 <= status < 500
        assert not re.search(r"<script[^>]*>[^<]*alert\(1\)", page)
    assert_nothing_was_obeyed(system)


@pytest.mark.parametrize("title", TITLES, ids=range(len(TITLES)))
def test_no_ae_title_is_obeyed(system, title):
    request = bytearray(association_request())
    request[26:42] = title.ljust(16)[:16]
    with socket.create_connection(("127.0.0.1", system.port), 10) as peer:
        peer.sendall(request)
        peer.settimeout(10)
        assert peer.recv(6)[:1] in (b"\x02", b"\x03", b"\x07", b"")
    assert_nothing_was_obeyed(system)


def association_request():
    """The bytes with which a well-behaved peer begins (PS3.8 Table 9-11)."""
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen():
            peer, _ = listener.accept()
            with peer:
                head = peer.recv(6, socket.MSG_WAITALL)
                rest = peer.recv(int.from_bytes(head[2:], "big"), socket.MSG_WAITALL)
                heard.append(head + rest)

        hearing = threading.Thread(target=listen)
        hearing.start()
        entity = AE("SCANNER")
        port = listener.getsockname()[1]
        entity.associate("127.0.0.1", port, [build_context(MR)], ae_title="OSTEON")
        hearing.join()
    return heard[0]


def assert_nothing_was_obeyed(system):
    """No file has a name of theirs, no table is gone, and no log line is forged."""
    assert not Path("/tmp/osteon-pwned").exists()  # noqa: S108
    names = [path.name for path in (system.data / "spool").rglob("*.dcm")]
    assert names
    assert all(re.fullmatch(r"[0-9a-f]{32}(\.[0-9a-f]{16})?\.dcm", name) for name in names)
    with JobStore(system.database) as store:
        assert store.jobs()
        assert store.verify_audit().rows >= 0
    for path in system.folder.glob("*.log"):
        for line in path.read_text().splitlines():
            told = json.loads(line)
            assert set(ALWAYS) <= set(told) <= {*ALWAYS, *SOMETIMES}
            assert told["event"] != "forged"
    assert system.ended == []
