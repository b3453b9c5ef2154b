import socket
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import ImplicitVRLittleEndian
from pynetdicom import AE, AllStoragePresentationContexts, evt

from dicom_node.destination import CStoreDestination
from dicom_node.errors import InvalidAeTitle, PeerRefused, PeerUnavailable, UnreadableHeader
from dicom_node.network import Timeouts
from dicom_node.send import Peer, echo, send, send_folder

MR = "1.2.840.10008.5.1.4.1.1.4"
SEG = "1.2.840.10008.5.1.4.1.1.66.4"
SR = "1.2.840.10008.5.1.4.1.1.88.34"
PATIENT = Timeouts(connect_s=60, negotiate_s=60)  # a test machine may be busy


def pacs(port, timeouts=PATIENT):
    return Peer("PACS", "127.0.0.1", port, timeouts=timeouts)


@pytest.fixture
def answering():
    """A peer that answers as told and writes down what came; yields its port."""
    servers = []

    def start(answer, classes=(MR, SEG, SR), syntaxes=("1.2.840.10008.1.2.1",), **settings):
        came = []

        def store(event):
            came.append(event)
            return answer(event, len(came))

        entity = AE("PACS")
        for name, value in settings.items():
            setattr(entity, name, value)
        for sop_class in (*classes, "1.2.840.10008.1.1"):
            entity.add_supported_context(sop_class, list(syntaxes))
        server = entity.start_server(
            ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)]
        )
        servers.append(server)
        return server.server_address[1], came

    yield start
    for server in servers:
        server.shutdown()


def test_echo_reaches_a_real_peer(storescp):
    with storescp() as (port, _):
        echo(pacs(port))


def test_a_host_name_without_a_dot_is_found(storescp):
    with storescp() as (port, _):
        echo(Peer("PACS", "localhost", port))


def test_what_dcmtk_receives_are_the_bytes_of_the_file(storescp, instances, tmp_path):
    explicit = instances.write_file(instances.mr_image(1), tmp_path / "in")
    implicit = instances.write_file(instances.mr_image(2), tmp_path / "in", ImplicitVRLittleEndian)
    answers = []
    with storescp("+B") as (port, folder):
        outcomes = send(pacs(port), [explicit, implicit], answers.append)
        assert [o.ok for o in outcomes] == [True, True]
        assert instances.until(lambda: len(list(folder.iterdir())) == 2)
        received = {dcmread(p).SOPInstanceUID: p for p in folder.iterdir()}
        for outcome in outcomes:
            assert instances.data_set_bytes(
                received[outcome.sop_instance_uid]
            ) == instances.data_set_bytes(outcome.path)
    assert [(o.path, o.status) for o in answers] == [(explicit, 0), (implicit, 0)]


def test_a_peer_that_takes_implicit_only_gets_the_same_values(storescp, instances, tmp_path):
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    with storescp("+B", "+xi") as (port, folder):
        (outcome,) = send(pacs(port), [path])
        assert outcome.ok
        assert instances.until(lambda: len(list(folder.iterdir())) == 1)
        received = dcmread(next(folder.iterdir()))
    assert received.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
    assert received == dcmread(path)


def test_a_folder_is_sent_without_what_is_not_dicom(storescp, instances, tmp_path):
    for number in (2, 1, 3):
        instances.write_file(instances.mr_image(number), tmp_path / "in" / str(number))
    (tmp_path / "in" / "notes.txt").write_text("not DICOM")
    (tmp_path / "in" / "empty").touch()
    with storescp() as (port, folder):
        outcomes = send_folder(pacs(port), tmp_path / "in")
        assert [o.path.parent.name for o in outcomes] == ["1", "2", "3"]
        assert instances.until(lambda: len(list(folder.iterdir())) == 3)


def test_a_file_that_is_not_dicom_is_named_as_such(tmp_path):
    (tmp_path / "x.dcm").write_bytes(b"x" * 200)
    with pytest.raises(UnreadableHeader, match=r"x\.dcm"):
        send(pacs(1), [tmp_path / "x.dcm"])


@pytest.mark.parametrize("title", ["", "   ", "X" * 17, "A\\B", "A\nB", "\xc4"])
def test_an_ae_title_that_cannot_be_one_is_refused(title):
    with pytest.raises(InvalidAeTitle):
        Peer(title, "127.0.0.1", 104)
    with pytest.raises(InvalidAeTitle):
        Peer("PACS", "127.0.0.1", 104, calling_ae_title=title)


def test_nobody_there(instances):
    with pytest.raises(PeerUnavailable, match="does not answer"):
        echo(pacs(instances.free_port()))
    with pytest.raises(PeerUnavailable, match="host name"):
        echo(Peer("PACS", "no-such-host.invalid", 104))


def test_a_peer_that_takes_the_call_and_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        limits = Timeouts(connect_s=1, negotiate_s=0.5)
        with pytest.raises(PeerUnavailable):
            echo(pacs(silent.getsockname()[1], timeouts=limits))


def test_a_peer_that_rejects_us_for_good(storescp):
    with storescp("--refuse") as (port, _), pytest.raises(PeerRefused, match="rejects us"):
        echo(pacs(port))


def test_a_peer_that_is_busy_is_worth_trying_again(answering):
    port, _ = answering(lambda *_: 0, maximum_associations=1)
    first = AE("FIRST")
    first.add_requested_context("1.2.840.10008.1.1")
    association = first.associate("127.0.0.1", port)
    with pytest.raises(PeerUnavailable, match="no association now"):
        echo(pacs(port))
    association.release()


def test_an_unknown_class_is_refused_for_good(answering, instances, tmp_path):
    port, came = answering(lambda *_: 0)
    odd = instances.write_file(
        instances.mr_image(1, SOPClassUID="1.2.840.10008.5.1.4.1.1.66"), tmp_path / "in"
    )
    good = instances.write_file(instances.mr_image(2), tmp_path / "in")
    with pytest.raises(PeerRefused, match="none of the objects"):
        send(pacs(port), [odd])
    refused, taken = send(pacs(port), [odd, good])
    assert (refused.status, refused.ok, refused.retryable) == (0x0122, False, False)
    assert taken.ok
    assert len(came) == 1


@pytest.mark.parametrize(
    ("status", "ok", "retryable"),
    [
        (0x0000, True, False),
        (0xB000, True, False),
        (0xB007, True, False),
        (0x0111, True, False),
        (0xA700, False, True),
        (0xA701, False, True),
        (0x0110, False, True),
        (0xA900, False, False),
        (0xC000, False, False),
        (0x0124, False, False),
    ],
)
def test_what_an_answer_means(answering, instances, tmp_path, status, ok, retryable):
    port, _ = answering(lambda *_: status)
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    (outcome,) = send(pacs(port), [path])
    assert (outcome.status, outcome.ok, outcome.retryable) == (status, ok, retryable)


def test_after_a_transient_answer_the_rest_waits(answering, instances, tmp_path):
    port, came = answering(lambda _event, number: 0xA700 if number == 2 else 0)
    paths = [instances.write_file(instances.mr_image(n), tmp_path / "in") for n in (1, 2, 3)]
    outcomes = send(pacs(port), paths)
    assert [(o.status, o.ok, o.retryable) for o in outcomes] == [
        (0, True, False),
        (0xA700, False, True),
        (None, False, True),
    ]
    assert len(came) == 2


def test_after_a_permanent_answer_the_rest_goes_on(answering, instances, tmp_path):
    port, _ = answering(lambda _event, number: 0xC000 if number == 1 else 0)
    paths = [instances.write_file(instances.mr_image(n), tmp_path / "in") for n in (1, 2)]
    assert [o.ok for o in send(pacs(port), paths)] == [False, True]


def test_a_peer_that_goes_away_in_the_middle_is_worth_trying_again(answering, instances, tmp_path):
    def hang_up(event, number):
        if number == 2:
            event.assoc.abort()
        return 0

    port, _ = answering(hang_up)
    paths = [instances.write_file(instances.mr_image(n), tmp_path / "in") for n in (1, 2, 3)]
    outcomes = send(pacs(port), paths)
    assert [o.ok for o in outcomes] == [True, False, False]
    assert [o.retryable for o in outcomes] == [False, True, True]


def test_a_peer_that_never_answers_ends_in_time(answering, instances, tmp_path):
    release = threading.Event()

    def wait(*_):
        release.wait(10)
        return 0

    port, _ = answering(wait)
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    (outcome,) = send(pacs(port, timeouts=Timeouts(answer_s=0.5)), [path])
    release.set()
    assert (outcome.status, outcome.ok, outcome.retryable) == (None, False, True)


def test_more_classes_than_one_association_holds(answering, instances, tmp_path):
    """65 classes with two transfer syntaxes each are 130 contexts: two associations."""
    classes = [context.abstract_syntax for context in AllStoragePresentationContexts[:65]]
    port, came = answering(lambda *_: 0, classes=classes)
    paths = [
        instances.write_file(instances.mr_image(n, SOPClassUID=c), tmp_path / "in")
        for n, c in enumerate(classes)
    ]
    outcomes = send(pacs(port), paths)
    assert [(o.path, o.status) for o in outcomes] == [(path, 0) for path in paths]
    assert len({id(event.assoc) for event in came}) == 2


@dataclass
class Result:
    kind: str
    path: Path


def test_results_arrive_with_the_report_last(answering, instances, tmp_path):
    port, came = answering(lambda *_: 0)
    report = instances.write_file(instances.mr_image(1, SOPClassUID=SR), tmp_path / "in")
    seg = instances.write_file(instances.mr_image(2, SOPClassUID=SEG), tmp_path / "in")
    image = instances.write_file(instances.mr_image(3), tmp_path / "in")
    results = [Result("sr", report), Result("seg", seg), Result("image", image)]
    outcomes = CStoreDestination("pacs", pacs(port)).deliver(results)
    assert [o.path for o in outcomes] == [image, seg, report]
    assert [e.request.AffectedSOPClassUID for e in came] == [MR, SEG, SR]


def test_the_report_waits_when_its_segmentation_did_not_arrive(answering, instances, tmp_path):
    port, came = answering(lambda *_: 0xA700)
    report = instances.write_file(instances.mr_image(1, SOPClassUID=SR), tmp_path / "in")
    seg = instances.write_file(instances.mr_image(2, SOPClassUID=SEG), tmp_path / "in")
    destination = CStoreDestination("pacs", pacs(port))
    outcomes = destination.deliver([Result("sr", report), Result("seg", seg)])
    assert len(came) == 1
    assert [(o.ok, o.retryable) for o in outcomes] == [(False, True), (False, True)]


def test_a_resend_is_the_same_bytes(answering, instances, tmp_path):
    port, came = answering(lambda *_: 0)
    path = instances.write_file(instances.mr_image(), tmp_path / "in")
    for _ in range(2):
        send(pacs(port), [path])
    first, second = (event.request.DataSet.getvalue() for event in came)
    assert first == second == instances.data_set_bytes(path)
