"""A report of storage commitment on an association of ours, in the role of SCP (PS3.7 D.3.3.4)."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from pydicom.filereader import read_dataset

from dicom_node.commitment_request import PUSH_MODEL, PUSH_MODEL_INSTANCE, encode_report
from dicom_node.contexts import EXPLICIT_LE, IMPLICIT_LE
from dicom_node.errors import PeerRefused, PeerUnavailable
from dicom_node.peer import Answering, associated

if TYPE_CHECKING:
    from dicom_node.commitment_request import Decision
    from dicom_node.peer import Peer


def send_report(peer: Peer, decision: Decision) -> int:
    """Send N-EVENT-REPORT; return the status that the peer answered.

    Raises:
        PeerUnavailable: it does not answer.
        PeerRefused: it rejects us, or does not let us be the SCP of storage commitment.

    """
    pairs = [(str(PUSH_MODEL), syntax) for syntax in (EXPLICIT_LE, IMPLICIT_LE)]
    encoded = BytesIO(encode_report(decision, EXPLICIT_LE))
    data_set = read_dataset(encoded, is_implicit_VR=False, is_little_endian=True)
    names = decision.event_type_id, str(PUSH_MODEL), str(PUSH_MODEL_INSTANCE)
    with associated(peer, pairs, Answering(storage_classes=(str(PUSH_MODEL),))) as association:
        if not any(context.as_scp for context in association.accepted_contexts):
            raise PeerRefused(f"{peer.ae_title} does not let us report storage commitment to it")
        answer, _ = association.send_n_event_report(data_set, *names)
    if "Status" not in answer:
        raise PeerUnavailable(f"{peer.ae_title} did not answer a report of storage commitment")
    return int(answer.Status)
