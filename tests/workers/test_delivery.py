"""D-8: what a PACS may do to results on their way, and that they arrive all the same."""

import hashlib
import threading
import time
from dataclasses import replace

import pytest
from pynetdicom import AE, evt

from dicom_node.acceptor.services import Caller, NormalizedRequest, Operation
from dicom_node.commitment import ReportService
from dicom_node.errors import PeerRefused
from jobs.job import Stage
from jobs.result import ResultFile
from tests.small_pacs import COMMITMENT, SEG, SR, STUDY_ROOT_FIND, VERIFICATION, small_pacs
from tests.workers.dicom_files import write_object
from workers.configuration import DeliveryRule, Destination
from workers.delivery import Courier, DeliveryWaits
from workers.delivery_way import ResultDamaged
from workers.failures import Fate, judge
from workers.places import place_of

QUICK = DeliveryRule(back_off_s=(0.05,), proof_patience_s=0.6, report_wait_s=0.3)
SEG_UID, SR_UID = "2.25.901", "2.25.902"


@pytest.fixture
def kept(store, configuration, claimed):
    """The held job with a SEG and an SR."""
    files = []
    for kind, sop_class, uid in (("seg", SEG, SEG_UID), ("sr", SR, SR_UID)):
        path = write_object(configuration.results_dir / f"{kind}.dcm", sop_class, uid)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        uids = (sop_class, uid, "2.25.900")
        files.append(ResultFile(kind, path.name, "application/dicom", path.name, digest, *uids))
    store.keep_results(claimed, files)
    return claimed


@pytest.fixture
def courier(store, configuration, kept):
    return Courier(store, kept, configuration.results_dir, QUICK)


def to(pacs, proof="none", **rules):
    return Destination("PACS", "PACS", "127.0.0.1", pacs.port, "OSTEON", proof, **rules)


def attempt(courier, *destinations):
    """Do what is due; return the code of what it waits for, empty when all is done."""
    try:
        courier.deliver(destinations, lambda _done: None)
    except (DeliveryWaits, PeerRefused) as waits:
        return waits.code
    return ""


def until_done(courier, *destinations, seconds=20.0):
    """Go on as the queue would; return the code at the end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            courier.deliver(destinations, lambda _done: None)
        except DeliveryWaits as waits:
            time.sleep(waits.again_s)
        except PeerRefused as refused:
            return refused.code
        else:
            return ""
    raise AssertionError(courier.store.deliveries(courier.job.id))


def ways(courier, name="PACS"):
    found = (d for d in courier.store.deliveries(courier.job.id) if d.destination == name)
    return {d.sop_instance_uid: str(d.status) for d in found}


BOTH_QUEUED = {SEG_UID: "queued", SR_UID: "queued"}
BOTH_SENT_ONLY = {SEG_UID: "sent_only", SR_UID: "sent_only"}
BOTH_FOUND = {SEG_UID: "found", SR_UID: "found"}
BOTH_COMMITTED = {SEG_UID: "committed", SR_UID: "committed"}


def test_an_association_that_is_rejected_for_now_is_tried_again(courier):
    with small_pacs(maximum_associations=1) as pacs:
        first = AE("FIRST")
        first.add_requested_context(VERIFICATION)
        occupied = first.associate("127.0.0.1", pacs.port)
        assert attempt(courier, to(pacs)) == "PEER_UNAVAILABLE"
        assert ways(courier) == BOTH_QUEUED
        occupied.release()
        assert until_done(courier, to(pacs)) == ""
    assert pacs.came == [SEG_UID, SR_UID]
    assert ways(courier) == BOTH_SENT_ONLY


def test_an_association_that_is_rejected_for_good_waits_for_a_person(courier):
    with small_pacs(require_called_aet=True) as pacs:
        assert attempt(courier, replace(to(pacs), ae_title="OTHER")) == "PEER_REFUSED"
    (seg, _) = courier.store.deliveries(courier.job.id)
    assert (str(seg.status), seg.code, seg.last_status) == ("refused", "PEER_REFUSED", None)


def test_of_two_objects_the_one_that_found_no_room_is_sent_again(courier):
    with small_pacs() as pacs:
        pacs.answer = lambda number: 0xA700 if number == 2 else 0
        assert attempt(courier, to(pacs)) == "PEER_UNAVAILABLE"
        assert ways(courier) == {SEG_UID: "sent_only", SR_UID: "queued"}
        assert until_done(courier, to(pacs)) == ""
    assert pacs.came == [SEG_UID, SR_UID, SR_UID]
    assert [d.attempts for d in courier.store.deliveries(courier.job.id)] == [1, 2]
    assert ways(courier) == BOTH_SENT_ONLY


def test_a_peer_that_hangs_up_inside_an_object_gets_it_again_and_no_other(courier):
    with small_pacs() as pacs:
        pacs.hangs_up_at = 2
        assert attempt(courier, to(pacs)) == "PEER_UNAVAILABLE"
        assert until_done(courier, to(pacs)) == ""
    assert pacs.came == [SEG_UID, SR_UID, SR_UID]


def test_an_object_that_is_refused_is_not_sent_again_by_itself(courier):
    with small_pacs() as pacs:
        pacs.answer = lambda number: 0xA900 if number == 1 else 0
        assert attempt(courier, to(pacs)) == "PEER_REFUSED"
        assert ways(courier) == {SEG_UID: "refused", SR_UID: "sent_only"}
        assert attempt(courier, to(pacs)) == "PEER_REFUSED"
    assert pacs.came == [SEG_UID, SR_UID]


def test_a_class_that_the_peer_does_not_take_is_refused_with_its_status(courier):
    with small_pacs(classes=(SR,)) as pacs:
        assert attempt(courier, to(pacs)) == "PEER_REFUSED"
    (seg, sr) = courier.store.deliveries(courier.job.id)
    assert (str(seg.status), seg.last_status, str(sr.status)) == ("refused", 0x0122, "sent_only")


def test_what_was_taken_and_not_stored_is_found_out_by_a_query_and_sent_again(courier):
    with small_pacs() as pacs:
        pacs.keeps = lambda number: number != 1
        first = {}
        assert attempt(courier, to(pacs, "query")) == "PROOF_AWAITED"
        first.update(pacs.bytes)
        assert ways(courier) == {SEG_UID: "sent", SR_UID: "found"}
        assert until_done(courier, to(pacs, "query")) == ""
    assert pacs.came == [SEG_UID, SR_UID, SEG_UID]
    assert pacs.bytes == first
    assert ways(courier) == BOTH_FOUND
    assert [d.lost for d in courier.store.deliveries(courier.job.id)] == [1, 0]


def test_what_was_taken_and_not_stored_is_found_out_by_commitment_and_sent_again(courier):
    """A partial failure: one of two objects is not there (0x0112)."""
    with small_pacs() as pacs:
        pacs.reports = "same"
        pacs.keeps = lambda number: number != 1
        assert until_done(courier, to(pacs, "commitment")) == ""
    assert pacs.came == [SEG_UID, SR_UID, SEG_UID]
    assert ways(courier) == BOTH_COMMITTED
    assert (len(pacs.transactions), pacs.finds) == (2, 0)


def test_a_peer_that_loses_everything_is_left_to_a_person(courier):
    with small_pacs() as pacs:
        pacs.keeps = lambda _number: False
        rule = replace(QUICK, resends=2, proof_patience_s=0.05)
        assert until_done(replace(courier, rule=rule), to(pacs, "query")) == "PEER_REFUSED"
    assert pacs.came == [SEG_UID, SR_UID] * 3
    assert {d.code for d in courier.store.deliveries(courier.job.id)} == {"NOT_STORED"}


def test_commitment_that_is_never_reported_is_followed_by_a_query(courier):
    with small_pacs() as pacs:
        assert attempt(courier, to(pacs, "commitment")) == "PROOF_AWAITED"
        assert (ways(courier), pacs.finds) == ({SEG_UID: "sent", SR_UID: "sent"}, 0)
        assert until_done(courier, to(pacs, "commitment")) == ""
    assert (ways(courier), pacs.finds) == (BOTH_FOUND, 1)
    assert pacs.came == [SEG_UID, SR_UID]


@pytest.mark.parametrize("proof", ["query", "commitment"])
def test_a_peer_that_can_prove_nothing_has_what_it_took_as_sent_only(courier, proof):
    with small_pacs(offers=()) as pacs:
        assert attempt(courier, to(pacs, proof)) == ""
    assert ways(courier) == BOTH_SENT_ONLY


def test_a_query_that_is_refused_leaves_it_at_sent_only(courier):
    with small_pacs() as pacs:
        pacs.find_status = 0xA900
        assert attempt(courier, to(pacs, "query")) == ""
    assert ways(courier) == BOTH_SENT_ONLY


def test_a_peer_that_hangs_up_on_every_query_is_asked_for_a_while_and_then_believed(courier):
    with small_pacs() as pacs:
        pacs.find_aborts = True
        assert attempt(courier, to(pacs, "query")) == "PROOF_AWAITED"
        assert until_done(courier, to(pacs, "query")) == ""
    assert pacs.finds > 1
    assert (ways(courier), pacs.came) == (BOTH_SENT_ONLY, [SEG_UID, SR_UID])


@pytest.mark.parametrize("proof", ["query", "commitment"])
def test_a_destination_that_answers_a_question_is_well_again(courier, proof):
    with small_pacs() as pacs:
        pacs.find_aborts, pacs.action_status = True, 0x0213
        assert attempt(courier, to(pacs, proof)) == "PROOF_AWAITED"
        courier.store.destination_failed("PACS", "PEER_UNAVAILABLE", (0.0,))
        pacs.find_aborts, pacs.action_status = False, 0
        assert until_done(courier, to(pacs, proof)) == ""
    assert courier.store.destinations_away() == ()
    assert pacs.came == [SEG_UID, SR_UID]


def test_while_a_peer_is_away_nothing_is_believed(courier):
    with small_pacs() as pacs:
        pacs.find_aborts = True
        assert attempt(courier, to(pacs, "query")) == "PROOF_AWAITED"
    time.sleep(QUICK.proof_patience_s)
    assert attempt(courier, to(pacs, "query")) == "PROOF_AWAITED"
    assert set(ways(courier).values()) == {"sent"}


def test_a_peer_without_commitment_is_asked_by_query(courier):
    with small_pacs(offers=(STUDY_ROOT_FIND,)) as pacs:
        assert attempt(courier, to(pacs, "commitment")) == ""
    assert ways(courier) == BOTH_FOUND


@pytest.fixture
def node(store):
    """What our node does with reports, behind a door of pynetdicom's; yields its port."""

    def note(report):
        found = report.transaction_uid, report.committed, report.failed
        return store.commitment_reported(*found) is not None

    service = ReportService(note)

    def report(event):
        request = NormalizedRequest(
            Operation.N_EVENT_REPORT,
            COMMITMENT,
            event.request.AffectedSOPInstanceUID,
            event.request.EventTypeID,
            event.request.EventInformation.getvalue(),
            event.context.transfer_syntax,
        )
        return service.answer(Caller("PACS", "OSTEON", "127.0.0.1"), request).status, None

    entity = AE("OSTEON")
    entity.add_supported_context(COMMITMENT, scu_role=False, scp_role=True)
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, report)]
    )
    yield server.server_address[1]
    server.shutdown()


def test_commitment_that_is_reported_on_a_new_association_ends_the_waiting(courier, node):
    with small_pacs() as pacs:
        pacs.reports, pacs.reports_to = "new", ("OSTEON", node)
        rule = replace(QUICK, report_wait_s=20.0, proof_patience_s=60.0)
        assert attempt(replace(courier, rule=rule), to(pacs, "commitment")) == ""
    assert (ways(courier), pacs.finds) == (BOTH_COMMITTED, 0)


def test_commitment_that_is_reported_late_is_not_waited_for_and_still_counts(courier, node):
    reported = threading.Event()
    with small_pacs() as pacs:
        pacs.reports, pacs.reports_to, pacs.before_report_s = "new", ("OSTEON", node), 1.0
        told = pacs.report_to
        pacs.report_to = lambda *report: (told(*report), reported.set())
        rule = replace(QUICK, proof_patience_s=600.0)
        patient = replace(courier, rule=rule)
        with pytest.raises(DeliveryWaits) as waits:
            patient.deliver([to(pacs, "commitment")], lambda _done: None)
        assert waits.value.code == "PROOF_AWAITED"
        assert waits.value.again_s > 500.0
        assert reported.wait(20)
        assert attempt(patient, to(pacs, "commitment")) == ""
    assert pacs.reported == [0x0000]
    assert (ways(courier), pacs.finds) == (BOTH_COMMITTED, 0)
    assert pacs.came == [SEG_UID, SR_UID]


def test_a_destination_gets_the_kinds_that_it_wants(courier):
    with small_pacs() as pacs:
        assert attempt(courier, to(pacs, kinds=("seg",))) == ""
    assert pacs.came == [SEG_UID]


@pytest.mark.parametrize("damage", [lambda p: p.write_bytes(b"x"), lambda p: p.unlink()])
def test_a_file_that_is_not_the_one_that_was_kept_is_not_sent(courier, configuration, damage):
    damage(configuration.results_dir / "sr.dcm")
    with small_pacs() as pacs:
        with pytest.raises(ResultDamaged, match=r"sr\.dcm"):
            courier.deliver([to(pacs)], lambda _done: None)
        assert pacs.came == []
    verdict = judge(ResultDamaged("x"), Stage.DELIVER)
    assert (verdict.fate, verdict.failure.code) == (Fate.HOLD, "RESULT_DAMAGED")


def test_a_destination_that_is_away_is_called_by_one_job_and_not_by_all(courier):
    called = []

    def counted(destination):
        called.append(destination.name)
        return place_of(destination)

    with small_pacs() as pacs:
        away = replace(to(pacs), name="AWAY", port=1)
        rule = replace(QUICK, back_off_s=(60.0,))
        one = replace(courier, rule=rule, place=counted)
        assert attempt(one, away, to(pacs)) == "PEER_UNAVAILABLE"
        assert (called, ways(courier)) == (["AWAY", "PACS"], BOTH_SENT_ONLY)
        courier.store.expect_delivery(courier.job, "AWAY")
        courier.store.put_off(courier.job, "AWAY", (0.0, "PEER_UNAVAILABLE"))
        assert attempt(one, away, to(pacs)) == "PEER_UNAVAILABLE"
    assert called == ["AWAY", "PACS"]  # its breaker is open
    (known,) = courier.store.destinations_away()
    assert (known.name, known.failures) == ("AWAY", 1)


def test_what_a_destination_did_not_take_for_so_long_waits_for_a_person(courier):
    with small_pacs() as pacs:
        away = replace(to(pacs), port=1)
        assert attempt(courier, away) == "PEER_UNAVAILABLE"
        time.sleep(0.1)
        given_up = replace(courier, rule=replace(QUICK, give_up_s=0.01))
        assert attempt(given_up, away) == "PEER_REFUSED"
        assert {d.code for d in courier.store.deliveries(courier.job.id)} == {"GIVEN_UP"}


def test_a_destination_that_left_the_settings_holds_nothing_up(courier):
    with small_pacs() as pacs:
        assert attempt(courier, replace(to(pacs), name="OLD", port=1)) == "PEER_UNAVAILABLE"
        assert attempt(courier, to(pacs)) == ""
