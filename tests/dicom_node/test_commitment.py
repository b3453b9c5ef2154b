import pytest
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicom_node.acceptor.services import Caller, NormalizedRequest, Operation
from dicom_node.commitment import (
    CommitmentReport,
    Reference,
    ReportNotKept,
    ReportService,
    new_transaction_uid,
    request_commitment,
)
from dicom_node.contexts import EXPLICIT_LE, IMPLICIT_LE
from dicom_node.errors import PeerRefused, PeerUnavailable
from dicom_node.peer import Peer
from tests.small_pacs import SEG, SR, STUDY_ROOT_FIND, small_pacs

REFERENCES = [Reference(SEG, "2.25.1"), Reference(SR, "2.25.2")]
CALLER = Caller("PACS", "OSTEON", "127.0.0.1")
CLASS, INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"


def peer(pacs):
    return Peer("PACS", "127.0.0.1", pacs.port)


def test_a_report_on_the_same_association_is_returned():
    with small_pacs() as pacs:
        pacs.reports = "same"
        pacs.held["2.25.1"] = (SEG, "", "")
        report = request_commitment(peer(pacs), "2.25.77", REFERENCES, 10.0)
    assert report == CommitmentReport("2.25.77", ("2.25.1",), {"2.25.2": 0x0112})
    assert pacs.transactions == ["2.25.77"]


def test_a_report_that_does_not_come_is_not_waited_for():
    with small_pacs() as pacs:
        assert request_commitment(peer(pacs), "2.25.77", REFERENCES, 0.2) is None
        assert pacs.transactions == ["2.25.77"]


def test_a_peer_without_commitment_says_so():
    with small_pacs(offers=(STUDY_ROOT_FIND,)) as pacs, pytest.raises(PeerRefused):
        request_commitment(peer(pacs), "2.25.77", REFERENCES)


@pytest.mark.parametrize(
    ("status", "error"),
    [(0x0213, PeerUnavailable), (0x0110, PeerUnavailable), (0x0122, PeerRefused)],
)
def test_what_an_answer_to_the_request_means(status, error):
    with small_pacs() as pacs:
        pacs.action_status = status
        with pytest.raises(error, match=f"0x{status:04X}"):
            request_commitment(peer(pacs), "2.25.77", REFERENCES)


def test_a_transaction_has_a_uid_of_its_own_that_nobody_guesses():
    made = {new_transaction_uid() for _ in range(100)}
    assert len(made) == 100
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in made)


def encoded(data_set, *, implicit):
    file = DicomBytesIO()
    file.is_implicit_VR, file.is_little_endian = implicit, True
    write_dataset(file, data_set)
    return file.getvalue()


def information(*, failed=True):
    told = Dataset()
    told.TransactionUID = "2.25.77"
    stored, lost = Dataset(), Dataset()
    stored.ReferencedSOPClassUID, stored.ReferencedSOPInstanceUID = SEG, "2.25.1"
    lost.ReferencedSOPClassUID, lost.ReferencedSOPInstanceUID = SR, "2.25.2"
    lost.FailureReason = 0x0112
    told.ReferencedSOPSequence = [stored]
    if failed:
        told.FailedSOPSequence = [lost]
    return told


def request(data_set, syntax=EXPLICIT_LE, event_type=2):
    return NormalizedRequest(
        Operation.N_EVENT_REPORT, CLASS, INSTANCE, event_type, data_set, syntax
    )


@pytest.mark.parametrize("syntax", [EXPLICIT_LE, IMPLICIT_LE])
def test_a_report_on_an_association_of_its_own_is_noted(syntax):
    noted = []
    service = ReportService(lambda report: not noted.append(report))
    data_set = encoded(information(), implicit=syntax == IMPLICIT_LE)
    assert service.answer(CALLER, request(data_set, syntax)).status == 0x0000
    assert noted == [CommitmentReport("2.25.77", ("2.25.1",), {"2.25.2": 0x0112})]


def test_a_report_that_nobody_asked_for_is_told_so():
    service = ReportService(lambda _report: False)
    data_set = encoded(information(), implicit=False)
    assert service.answer(CALLER, request(data_set)).status == 0x0115


def test_a_report_that_cannot_be_kept_may_come_again():
    def away(_report):
        raise ReportNotKept

    data_set = encoded(information(), implicit=False)
    assert ReportService(away).answer(CALLER, request(data_set)).status == 0x0110


_ITEM = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
_BOTTOMLESS = (b"\x08\x00\x99\x11SQ\0\0\xff\xff\xff\xff" + _ITEM) * 10_000


def _without(keyword):
    told = information()
    delattr(told, keyword)
    return encoded(told, implicit=False)


@pytest.mark.parametrize(
    ("data_set", "event_type", "status"),
    [
        (b"", 1, 0x0110),
        (b"\x08\x00\x95\x11UI\xff\xff", 1, 0x0110),
        (_without("TransactionUID"), 1, 0x0110),
        (encoded(information(), implicit=False) + bytes(300_000), 2, 0x0110),
        (_BOTTOMLESS, 2, 0x0110),
        (encoded(information(), implicit=False), 3, 0x0113),
    ],
    ids=["empty", "cut off", "no transaction", "too long", "bottomless", "another event"],
)
def test_what_is_no_report_is_refused_and_noted_nowhere(data_set, event_type, status):
    noted = []
    service = ReportService(lambda report: not noted.append(report))
    assert service.answer(CALLER, request(data_set, event_type=event_type)).status == status
    assert noted == []
