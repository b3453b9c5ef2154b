"""What pynetdicom's associations of ours do otherwise."""

from pynetdicom.dimse_primitives import C_STORE, N_EVENT_REPORT

from dicom_node.network import AnswersForCallers
from dicom_node.peer import Peer, associated
from tests.dicom_node.acceptor import wire


class Association:
    """As much of one as its provider of messages looks at."""

    dimse_timeout = 0.1


def provider(monkeypatch, *messages):
    made = AnswersForCallers(Association())
    monkeypatch.setattr(AnswersForCallers, "dimse_timeout", 0.1)
    for message in messages:
        made.msg_queue.put((1, message))
    return made


def test_an_answer_waits_for_who_asked(monkeypatch):
    answer = C_STORE()
    answer.MessageIDBeingRespondedTo = 1
    messages = provider(monkeypatch, answer)
    assert messages.get_msg(block=False) == (None, None)
    assert messages.get_msg(block=True) == (1, answer)
    assert messages.get_msg(block=False) == (None, None)


def test_a_request_of_the_peer_is_served(monkeypatch):
    request = N_EVENT_REPORT()
    request.MessageID = 1
    messages = provider(monkeypatch, request)
    assert messages.get_msg(block=False) == (1, request)
    assert messages.get_msg(block=False) == (None, None)


def test_associations_of_ours_have_it(receiving):
    with receiving() as receiver:
        peer = Peer("OSTEON", "127.0.0.1", receiver.port)
        pairs = [(wire.VERIFICATION.decode(), wire.IMPLICIT.decode())]
        with associated(peer, pairs) as association:
            assert isinstance(association.dimse, AnswersForCallers)
            assert association.send_c_echo().Status == 0
