"""Bytes of a connection cut into PDUs, and short PDUs of our own (PS3.8 section 9.3).

A PDU:  type (1 byte), reserved (1), length of the rest (4, big endian), the rest.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING

from dicom_node.acceptor.violations import UNRECOGNIZED_PDU, Violation, malformed
from dicom_node.vitals import Ending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicom_node.rejection import AssociationRefused

HEADER_BYTES = 6
_SMALL_BYTES = 8 * 1024
_HEADER = struct.Struct(">BxI")
_VALUE = struct.Struct(">IBB")  # length of what follows it, context ID, message control header


class PduType(IntEnum):
    """The first byte of a PDU."""

    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    P_DATA = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


RELEASE_RP = bytes((PduType.RELEASE_RP, 0, 0, 0, 0, 4, 0, 0, 0, 0))

COMMAND = 0x01
LAST = 0x02
"""Bits of the message control header (PS3.8 E.2)."""


class PduBuffer:
    """What a socket reads into. No PDU longer than the limit is ever read.

    It is small until a PDU comes that does not fit, so that who says little costs little.
    """

    def __init__(self, limit_bytes: int, full_bytes: int = 0) -> None:
        """Take PDUs of at most `limit_bytes` after their header; have room for `full_bytes`.

        There is room for the longest PDU in any case.
        """
        self._limit = limit_bytes
        self._full_bytes = max(full_bytes, limit_bytes + HEADER_BYTES)
        self._bytes = bytearray(min(_SMALL_BYTES, self._full_bytes))
        self._begin = self._end = 0

    @property
    def partial(self) -> bool:
        """Whether bytes are here that `take` did not return."""
        return self._end > self._begin

    def free(self) -> memoryview:
        """Return where the next bytes go; never empty once `take` returned None."""
        if self._begin == self._end:
            self._begin = self._end = 0
        elif self._begin + self._needed() > len(self._bytes):
            self._make_room()
        return memoryview(self._bytes)[self._end :]

    def filled(self, count: int) -> None:
        """Know that `count` bytes were put there."""
        self._end += count

    def take(self) -> tuple[PduType, memoryview] | None:
        """Return the next whole PDU without its header, valid until `free`; None: not yet whole.

        Raises `Violation` as soon as the header says too much.
        """
        begin = self._begin
        if self._end - begin < HEADER_BYTES:
            return None
        kind, length = _HEADER.unpack_from(self._bytes, begin)
        if not 1 <= kind <= PduType.ABORT:
            raise Violation("no PDU has this type", Ending.MALFORMED, UNRECOGNIZED_PDU)
        if length > self._limit:
            raise Violation("a PDU is longer than any that is taken here", Ending.LENGTH)
        end = begin + HEADER_BYTES + length
        if self._end < end:
            return None
        self._begin = end
        return PduType(kind), memoryview(self._bytes)[begin + HEADER_BYTES : end]

    def _needed(self) -> int:
        """Return how long the PDU is that begins the buffer, as far as it says so."""
        if self._end - self._begin < HEADER_BYTES:
            return HEADER_BYTES + 1
        return HEADER_BYTES + int(_HEADER.unpack_from(self._bytes, self._begin)[1])

    def _make_room(self) -> None:
        """Move what is here to the beginning, of a full buffer if it needs one."""
        rest = self._bytes[self._begin : self._end]
        if self._needed() > len(self._bytes):
            self._bytes = bytearray(self._full_bytes)
        self._bytes[: len(rest)] = rest
        self._begin, self._end = 0, len(rest)

    def put(self, encoded: bytes | bytearray) -> bool:
        """Take bytes that were read elsewhere; False if there is no room for them."""
        end = self._end + len(encoded)
        if end > self._full_bytes:
            return False
        if end > len(self._bytes):
            self._bytes += bytes(self._full_bytes - len(self._bytes))
        self._bytes[self._end : end] = encoded
        self._end = end
        return True

    def rest(self) -> bytearray:
        """Return what is here that `take` did not return."""
        return self._bytes[self._begin : self._end]


def values(body: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Yield (context ID, message control header, fragment) of a P-DATA-TF (PS3.8 9.3.5).

    Raises `Violation` where the lengths do not add up.
    """
    position, end = 0, len(body)
    if not end:
        raise malformed("a P-DATA-TF holds no presentation data value")
    while position < end:
        if end - position < _VALUE.size:
            raise malformed("a P-DATA-TF ends inside the header of a value")
        length, context_id, control = _VALUE.unpack_from(body, position)
        following = position + 4 + length
        if length < 2 or following > end:
            raise malformed("a value of a P-DATA-TF is not as long as it says")
        yield context_id, control, body[position + _VALUE.size : following]
        position = following


def data_pdus(context_id: int, message: bytes, control: int, pdu_bytes: int) -> bytes:
    """Return a command (`control` = COMMAND) or data set as P-DATA-TF PDUs for a peer.

    The peer takes `pdu_bytes` after the header of a PDU; 0: any.
    """
    step = pdu_bytes - _VALUE.size if pdu_bytes else max(len(message), 1)
    parts: list[bytes] = []
    for begin in range(0, len(message), step):
        fragment = message[begin : begin + step]
        last = LAST if begin + step >= len(message) else 0
        value = _VALUE.pack(len(fragment) + 2, context_id, control | last)
        parts += (_HEADER.pack(PduType.P_DATA, len(value) + len(fragment)), value, fragment)
    return b"".join(parts)


def abort_pdu(*, provider: bool, reason: int = 0) -> bytes:
    """Return an A-ABORT (PS3.8 9.3.8) of the service provider, or of its user."""
    return bytes((PduType.ABORT, 0, 0, 0, 0, 4, 0, 0, 2 * provider, reason * provider))


def reject_pdu(refused: AssociationRefused) -> bytes:
    """Return an A-ASSOCIATE-RJ (PS3.8 9.3.4)."""
    why = refused.result, refused.source, refused.reason
    return bytes((PduType.ASSOCIATE_RJ, 0, 0, 0, 0, 4, 0, *why))
