"""Our table against the acceptor's columns of PS3.8 Table 9-10, copied from it by hand."""

import pytest

from dicom_node.acceptor.framing import PduType
from dicom_node.acceptor.states import Action, State, action

# Event of the table: actions in Sta2 and Sta6.
STANDARD = {
    PduType.ASSOCIATE_RQ: ("AE-6", "AA-8"),
    PduType.ASSOCIATE_AC: ("AA-1", "AA-8"),
    PduType.ASSOCIATE_RJ: ("AA-1", "AA-8"),
    PduType.P_DATA: ("AA-1", "DT-2"),
    PduType.RELEASE_RQ: ("AA-1", "AR-2"),
    PduType.RELEASE_RP: ("AA-1", "AA-8"),
    PduType.ABORT: ("AA-2", "AA-3"),
}
MEANING = {
    "AE-6": Action.NEGOTIATE,
    "DT-2": Action.DATA,
    "AR-2": Action.RELEASE,
    "AA-1": Action.ABORT_AS_USER,
    "AA-2": Action.CLOSE,
    "AA-3": Action.CLOSE,
    "AA-8": Action.ABORT_AS_PROVIDER,
}


@pytest.mark.parametrize("kind", PduType)
def test_each_pdu_does_what_the_standard_says(kind):
    waiting, established = STANDARD[kind]
    assert action(State.AWAITING_REQUEST, kind) is MEANING[waiting]
    assert action(State.ESTABLISHED, kind) is MEANING[established]
