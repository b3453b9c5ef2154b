"""What is agreed with a peer at the beginning: PS3.8 section 7.1 and PS3.7 Annex D.3.

pynetdicom decodes, negotiates and encodes; what it is given has been walked before, so that it
meets lengths that add up and no more items than there may be. User identity is not looked at and
not answered, as PS3.7 D.3.3.7 has it for who does not support it; who may come in says the gate.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from pynetdicom import build_context
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    AsynchronousOperationsWindowNegotiation,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
    SCP_SCU_RoleSelectionNegotiation,
)
from pynetdicom.presentation import negotiate_as_acceptor

from dicom_node.acceptor.requests import titles, walk
from dicom_node.acceptor.services import Caller, Operation
from dicom_node.acceptor.violations import malformed
from dicom_node.contexts import EXPLICIT_LE, IMPLICIT_LE, VERIFICATION
from dicom_node.part10 import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION
from dicom_node.rejection import AssociationRefused
from dicom_node.uid import Uid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydicom.uid import UID
    from pynetdicom.presentation import PresentationContext

    from dicom_node.acceptor.services import Admission, NormalizedService
    from dicom_node.certificates import PeerCertificate
    from dicom_node.gate import Rule

_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
_SMALLEST_PDU = 128  # nobody who takes less could be answered

# What pynetdicom raises for values that it does not take, over its many classes of items.
_UNDECODABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
    struct.error,
)
_Primitive = TypeVar("_Primitive")
_Roles: TypeAlias = "dict[UID, tuple[bool | None, bool | None]]"
_Items: TypeAlias = "list[Any]"  # of primitives of user information


class ApplicationContextUnknown(AssociationRefused):
    """The peer speaks another language than DICOM's one application context."""

    code = "APPLICATION_CONTEXT_UNKNOWN"
    reason = 2


@dataclass(frozen=True)
class Context:
    """One accepted presentation context."""

    abstract_syntax: Uid
    transfer_syntax: Uid


@dataclass(frozen=True)
class Agreement:
    """An association as it was agreed."""

    caller: Caller
    rule: Rule
    contexts: Mapping[int, Context]
    peer_pdu_bytes: int
    """The longest PDU that the peer takes, 0: any."""
    answer: bytes
    """The A-ASSOCIATE-AC."""


class Negotiator:
    """Decides about requests, for one set of services."""

    def __init__(
        self,
        admit: Admission,
        storage: Iterable[PresentationContext],
        services: Iterable[NormalizedService],
        pdu_bytes: int,
    ) -> None:
        """Offer C-ECHO, `storage` and the classes of `services`; take PDUs of `pdu_bytes`."""
        self._admit = admit
        self._storage = list(storage)
        self.storage_classes = frozenset(str(context.abstract_syntax) for context in self._storage)
        self._pdu_bytes = pdu_bytes
        self._operations: dict[str, set[Operation]] = {}
        for service in services:
            self._operations.setdefault(service.abstract_syntax, set()).add(service.operation)

    def decide(
        self, request: bytes, address: str, certificate: PeerCertificate | None
    ) -> Agreement:
        """Answer an A-ASSOCIATE-RQ, given without the header of the PDU.

        Raises `AssociationRefused`, or `Violation` for bytes that are none.
        """
        called, calling = titles(request)
        caller = Caller(calling, called, address, certificate)
        rule = self._admit(caller)
        walk(request)
        try:
            return self._agree(caller, rule, _decoded(request))
        except _UNDECODABLE:
            raise malformed("an A-ASSOCIATE-RQ holds a value that is none") from None

    def _agree(self, caller: Caller, rule: Rule, asked: A_ASSOCIATE) -> Agreement:
        if asked.application_context_name != _APPLICATION_CONTEXT:
            raise ApplicationContextUnknown("the peer names another context than DICOM's")
        roles = _roles(asked)
        results, answered_roles = negotiate_as_acceptor(
            asked.presentation_context_definition_list, self._offer(roles), roles
        )
        contexts = {
            context.context_id: Context(
                Uid(str(context.abstract_syntax)), Uid(str(context.transfer_syntax[0]))
            )
            for context in results
            if context.result == 0 and context.context_id is not None
        }
        items: _Items = [*self._identity(), *_window(asked), *answered_roles]
        answer = _accepting(asked, results, items)
        return Agreement(caller, rule, contexts, _peer_pdu_bytes(asked), answer)

    def _offer(self, roles: _Roles) -> list[PresentationContext]:
        syntaxes = [EXPLICIT_LE, IMPLICIT_LE]
        offer = [build_context(VERIFICATION, syntaxes)]
        for abstract_syntax, operations in self._operations.items():
            context = build_context(abstract_syntax, syntaxes)
            if abstract_syntax in roles:  # who proposes none gets the default, even to report
                # What the requestor may be: who asks is our SCU, who reports is the SCP.
                context.scu_role = Operation.N_ACTION in operations
                context.scp_role = Operation.N_EVENT_REPORT in operations
            offer.append(context)
        return [*offer, *self._storage]

    def _identity(self) -> _Items:
        length, implementation = MaximumLengthNotification(), ImplementationClassUIDNotification()
        length.maximum_length_received = self._pdu_bytes
        implementation.implementation_class_uid = IMPLEMENTATION_CLASS_UID
        version = ImplementationVersionNameNotification()
        version.implementation_version_name = IMPLEMENTATION_VERSION
        return [length, implementation, version]


def _decoded(request: bytes) -> A_ASSOCIATE:
    pdu = A_ASSOCIATE_RQ()
    pdu.decode(struct.pack(">BxI", 1, len(request)) + request)
    return pdu.to_primitive()


def _all(asked: A_ASSOCIATE, kind: type[_Primitive]) -> list[_Primitive]:
    return [item for item in asked.user_information if isinstance(item, kind)]


def _roles(asked: A_ASSOCIATE) -> _Roles:
    proposed = _all(asked, SCP_SCU_RoleSelectionNegotiation)
    return {
        item.sop_class_uid: (item.scu_role, item.scp_role)
        for item in proposed
        if item.sop_class_uid is not None
    }


def _window(asked: A_ASSOCIATE) -> list[AsynchronousOperationsWindowNegotiation]:
    """Grant a window of one to who asks for any (PS3.7 D.3.3.3)."""
    if not _all(asked, AsynchronousOperationsWindowNegotiation):
        return []
    window = AsynchronousOperationsWindowNegotiation()
    window.maximum_number_operations_invoked = 1
    window.maximum_number_operations_performed = 1
    return [window]


def _peer_pdu_bytes(asked: A_ASSOCIATE) -> int:
    told = [item.maximum_length_received for item in _all(asked, MaximumLengthNotification)]
    if told and 0 < told[0] < _SMALLEST_PDU:
        raise malformed(f"the peer takes PDUs of less than {_SMALLEST_PDU} bytes only")
    return told[0] if told else 0


def _accepting(asked: A_ASSOCIATE, results: list[PresentationContext], items: _Items) -> bytes:
    accepted = A_ASSOCIATE()
    accepted.application_context_name = _APPLICATION_CONTEXT
    accepted.calling_ae_title = asked.calling_ae_title
    accepted.called_ae_title = asked.called_ae_title
    accepted.result = 0
    accepted.result_source = 1
    accepted.presentation_context_definition_results_list = results
    accepted.user_information = items
    return bytes(A_ASSOCIATE_AC(accepted).encode())
