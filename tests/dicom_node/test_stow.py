"""STOW-RS and QIDO-RS against a small service over real sockets, plain and by TLS."""

import json
import ssl
import subprocess
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dicom_node import web_calls
from dicom_node.errors import InvalidAddress, PeerRefused, PeerUnavailable, QueryRefused
from dicom_node.stow import StowDestination
from dicom_node.web_peer import WebPeer

SEG = "1.2.840.10008.5.1.4.1.1.66.4"


@dataclass
class Result:
    kind: str
    path: Path


class Service(ThreadingHTTPServer):
    """Answers as told and keeps what came."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests = []  # (method, path, headers, body)
        self.answers = {"POST": [], "GET": []}  # (status, body); the last one repeats

    def next_answer(self, method):
        told = self.answers[method]
        return told.pop(0) if len(told) > 1 else told[0]


class _Handler(BaseHTTPRequestHandler):
    def _answer(self):
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        self.server.requests.append((self.command, self.path, dict(self.headers), body))
        status, told, *more = self.server.next_answer(self.command)
        content = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        for name, value in more:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer  # noqa: N815 - the library asks for these names

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def service():
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def files(instances, tmp_path):
    made = []
    for number, kind in enumerate(("sr", "seg"), start=1):
        data_set = instances.mr_image(number, SOPClassUID=SEG)
        made.append(Result(kind, instances.write_file(data_set, tmp_path / "in")))
    return made


def uid_of(result):
    return result.path.stem


def place(service, **how):
    return StowDestination("vna", WebPeer(f"http://127.0.0.1:{service.server_port}/dw", **how))


def stored(uid):
    return {"00081199": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": [uid]}}]}}


def failed(uid, reason):
    item = {"00081155": {"vr": "UI", "Value": [uid]}, "00081197": {"vr": "US", "Value": [reason]}}
    return {"00081198": {"vr": "SQ", "Value": [item]}}


def test_objects_arrive_as_the_bytes_that_they_are_the_report_last(service, files, tmp_path):
    report, seg = files
    token = tmp_path / "token"
    token.write_text("secret-token\n")
    service.answers["POST"] = [(200, stored(uid_of(seg))), (200, stored(uid_of(report)))]
    tried = []
    outcomes = place(service, token_file=token).deliver(files, tried.append)
    assert [(o.path, o.status, o.ok) for o in outcomes] == [
        (seg.path, 200, True),
        (report.path, 200, True),
    ]
    assert tuple(tried) == outcomes
    for (method, path, headers, body), sent in zip(service.requests, (seg, report), strict=True):
        assert (method, path) == ("POST", "/dw/studies")
        assert headers["Authorization"] == "Bearer secret-token"
        kind, _, boundary = headers["Content-Type"].partition("; boundary=")
        assert kind == 'multipart/related; type="application/dicom"'
        head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        assert body == head + sent.path.read_bytes() + f"\r\n--{boundary}--\r\n".encode()


@pytest.mark.parametrize(
    ("status", "reason", "told", "retryable"),
    [
        (409, 0x0110, 0x0110, True),
        (409, 0xA700, 0xA700, True),
        (202, 0xA700, 0xA700, True),
        (202, 0xC000, 0xC000, False),
        (409, 0xA900, 0xA900, False),
        (409, 0x0122, 0x0122, False),
        (503, None, 503, True),
        (429, None, 429, True),
        (409, None, 409, False),
        (415, None, 415, False),
        (413, None, 413, False),
    ],
)
def test_what_an_answer_means(service, files, status, reason, told, retryable):
    seg = files[1]
    body = b"" if reason is None else failed(uid_of(seg), reason)
    service.answers["POST"] = [(status, body)]
    (outcome,) = place(service).deliver([seg])
    assert (outcome.status, outcome.ok, outcome.retryable) == (told, False, retryable)
    assert outcome.sop_instance_uid == uid_of(seg)


@pytest.mark.parametrize("body", [b"", b"<NativeDicomModel/>", b"[" * 5000, b"[null, 3]"])
def test_success_without_a_readable_answer_is_left_to_the_proof(service, files, body):
    service.answers["POST"] = [(200, body)]
    (outcome,) = place(service).deliver(files[1:])
    assert (outcome.ok, outcome.status) == (True, 200)


def test_after_a_transient_answer_the_report_waits(service, files):
    service.answers["POST"] = [(503, b"")]
    seg, report = place(service).deliver(files)
    assert (seg.status, report.status) == (503, None)
    assert seg.retryable
    assert report.retryable
    assert len(service.requests) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 301, 307])
def test_who_does_not_let_us_in_is_left_to_a_person_and_no_redirect_is_followed(
    service, files, status
):
    elsewhere = f"http://127.0.0.1:{service.server_port}/elsewhere"
    service.answers["POST"] = [(status, b"", ("Location", elsewhere))]
    with pytest.raises(PeerRefused, match=str(status)):
        place(service).deliver(files)
    assert len(service.requests) == 1


def test_nobody_there(instances):
    peer = WebPeer(f"http://127.0.0.1:{instances.free_port()}/dw")
    with pytest.raises(PeerUnavailable):
        StowDestination("vna", peer).held("1.2", ["1.2.1"])
    assert "does not answer" in StowDestination("vna", peer).trouble()


@pytest.mark.parametrize(("status", "told"), [(200, ""), (204, ""), (403, "does not know us")])
def test_whether_it_can_be_called_is_asked_beforehand(service, status, told):
    service.answers["GET"] = [(status, b"")]
    trouble = place(service).trouble()
    assert told in trouble
    assert bool(trouble) == bool(told)


def test_what_it_holds_is_asked_for_by_series(service):
    rows = [{"00080018": {"vr": "UI", "Value": ["1.2.1.1"]}}]
    service.answers["GET"] = [(200, rows), (204, b"")]
    assert place(service).held("1.2", ["1.2.1", "1.2.2"]) == {"1.2.1.1"}
    asked = [path for _, path, _, _ in service.requests]
    assert asked[0].startswith("/dw/studies/1.2/series/1.2.1/instances?")


@pytest.mark.parametrize(("status", "error"), [(503, PeerUnavailable), (401, QueryRefused)])
def test_a_query_that_is_not_answered(service, status, error):
    service.answers["GET"] = [(status, b"")]
    with pytest.raises(error, match=str(status)):
        place(service).held("1.2", ["1.2.1"])


def test_an_answer_without_end_is_not_read_to_its_end(service, monkeypatch):
    monkeypatch.setattr(web_calls, "_MOST_BYTES", 1000)
    service.answers["GET"] = [(200, b" " * 5000)]
    with pytest.raises(PeerRefused, match="longer"):
        place(service).held("1.2", ["1.2.1"])


@pytest.mark.parametrize("address", ["169.254.169.254", "::", "224.0.0.1", "fe80::1%1"])
def test_addresses_that_no_archive_has_are_not_called(monkeypatch, address):
    monkeypatch.setattr(
        web_calls.socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (address, 80))]
    )
    peer = WebPeer("http://metadata.example/dw")
    with pytest.raises(PeerRefused, match="no archive"):
        web_calls.call(peer, "GET", "/studies", {})


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/b",
        "https://u:p@a/b",
        "https:///b",
        "https://a/b?x=1",
        "https://a/#b",
        "https://ä/b",
    ],
)
def test_what_is_no_address_of_a_service_is_refused(url):
    with pytest.raises(InvalidAddress):
        WebPeer(url)


def test_a_token_that_cannot_be_read_is_said_without_it(service, files, tmp_path):
    with pytest.raises(PeerRefused, match="token"):
        place(service, token_file=tmp_path / "gone").deliver(files)
    assert service.requests == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for `localhost` and its key."""
    folder = tmp_path_factory.mktemp("tls")
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    made += ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext"]
    files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run([*made, "subjectAltName=DNS:localhost", *files], check=True, capture_output=True)
    return folder


def test_the_certificate_of_a_service_is_proven(service, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    service.socket = context.wrap_socket(service.socket, server_side=True)
    service.answers["GET"] = [(200, [])]
    known = WebPeer(f"https://localhost:{service.server_port}/dw", ca_file=certificate / "cert.pem")
    assert StowDestination("vna", known).held("1.2", ["1.2.1"]) == frozenset()
    stranger = WebPeer(f"https://localhost:{service.server_port}/dw")
    with pytest.raises(PeerRefused, match="not proven"):
        StowDestination("vna", stranger).held("1.2", ["1.2.1"])
    other = WebPeer(f"https://127.0.0.1:{service.server_port}/dw", ca_file=certificate / "cert.pem")
    with pytest.raises(PeerRefused, match="not proven"):
        StowDestination("vna", other).held("1.2", ["1.2.1"])
