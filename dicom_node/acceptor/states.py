"""What an acceptor does about each PDU: its part of PS3.8 Table 9-10.

Left out are the states in which no PDU is looked at: Sta3, while it is decided about a request
(reading pauses, what comes is read after the answer), Sta8, in which a release is answered at
once, and Sta13, in which everything is dropped until the peer closes or time is up. We never ask
for a release, so releases do not collide: an A-RELEASE-RP answers nothing and is unexpected.
"""

from __future__ import annotations

from enum import Enum, auto
from types import MappingProxyType

from dicom_node.acceptor.framing import PduType


class State(Enum):
    """Where an association stands."""

    AWAITING_REQUEST = "Sta2"
    DECIDING = "Sta3"
    ESTABLISHED = "Sta6"
    ENDING = "Sta13"


class Action(Enum):
    """What is done about a PDU."""

    NEGOTIATE = auto()  # AE-6
    DATA = auto()  # DT-2
    RELEASE = auto()  # AR-2 and AR-4
    CLOSE = auto()  # AA-2, AA-3
    ABORT_AS_USER = auto()  # AA-1
    ABORT_AS_PROVIDER = auto()  # AA-8


_A, _U, _P = Action, Action.ABORT_AS_USER, Action.ABORT_AS_PROVIDER

# fmt: off
TABLE = MappingProxyType({
    #                      AWAITING_REQUEST  ESTABLISHED
    PduType.ASSOCIATE_RQ: (_A.NEGOTIATE,     _P),
    PduType.ASSOCIATE_AC: (_U,               _P),
    PduType.ASSOCIATE_RJ: (_U,               _P),
    PduType.P_DATA:       (_U,               _A.DATA),
    PduType.RELEASE_RQ:   (_U,               _A.RELEASE),
    PduType.RELEASE_RP:   (_U,               _P),
    PduType.ABORT:        (_A.CLOSE,         _A.CLOSE),
})
# fmt: on


def action(state: State, pdu: PduType) -> Action:
    """Return what is done in one of the two states in which PDUs are looked at."""
    return TABLE[pdu][state is State.ESTABLISHED]
