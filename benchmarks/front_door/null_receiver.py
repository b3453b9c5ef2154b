"""`python -m benchmarks.front_door.null_receiver PORT`: accepts, reads and answers; keeps nothing.

What a sender reaches here is the most that it can show of any receiver. One thread a connection.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading

from pynetdicom.pdu import A_ASSOCIATE_RQ

from benchmarks.front_door import dimse
from benchmarks.front_door.association import MAXIMUM_PDU

_IN_A_CONTEXT = struct.Struct(">IBB")
_COMMAND_FIELD, _MESSAGE_ID, _ANSWERED_ID = 0x0100, 0x0110, 0x0120
_DATA_SET_TYPE, _STATUS = 0x0800, 0x0900
_NO_DATA_SET, _RESPONSE = 0x0101, 0x8000


def main(port: int) -> None:
    """Serve until the process is ended."""
    with socket.create_server(("127.0.0.1", port), backlog=200) as server:
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    view = memoryview(bytearray(MAXIMUM_PDU + dimse.HEADER_BYTES))
    command = b""
    with connection:
        while (came := _read(connection, view)) is not None:
            kind, length = came
            if kind == dimse.ASSOCIATE_RQ:
                connection.sendall(_accept(bytes(view[:length])))
            elif kind == dimse.P_DATA:
                _, context, flags = _IN_A_CONTEXT.unpack_from(view)
                if flags & 1:
                    command = bytes(view[dimse.HEADER_BYTES : length])
                if flags == 2 or (flags == 3 and _element(command, _DATA_SET_TYPE) == _NO_DATA_SET):
                    connection.sendall(_answer(context, command))
            elif kind == dimse.RELEASE_RQ:
                connection.sendall(struct.pack(">BxIxxxx", dimse.RELEASE_RP, 4))
                return


def _read(connection: socket.socket, view: memoryview) -> tuple[int, int] | None:
    head = connection.recv(dimse.HEADER_BYTES, socket.MSG_WAITALL)
    if len(head) < dimse.HEADER_BYTES:
        return None
    kind, length = struct.unpack(">BxI", head)
    read = 0
    while read < length:
        got = connection.recv_into(view[read:length])
        if not got:
            return None
        read += got
    return kind, length


def _accept(body: bytes) -> bytes:
    asked = A_ASSOCIATE_RQ()
    asked.decode(dimse.pdu(dimse.ASSOCIATE_RQ, body))
    syntax = dimse.EXPLICIT_LE.encode()
    accepted = b"".join(
        struct.pack(">BxHBxxx", 0x21, 8 + len(syntax), context.presentation_context_id)
        + struct.pack(">BxH", 0x40, len(syntax))
        + syntax
        for context in asked.presentation_context
    )
    user = struct.pack(">BxHBxHI", 0x50, 8, 0x51, 4, MAXIMUM_PDU)
    return dimse.pdu(dimse.ASSOCIATE_AC, body[:68] + accepted + user)


def _element(command: bytes, wanted: int) -> int:
    position = 0
    while position < len(command):
        element, length = struct.unpack_from("<2xHI", command, position)
        if element == wanted:
            return int.from_bytes(command[position + 8 : position + 8 + length], "little")
        position += 8 + length
    raise ValueError(wanted)


def _answer(context: int, asked: bytes) -> bytes:
    values = (
        (_COMMAND_FIELD, _element(asked, _COMMAND_FIELD) | _RESPONSE),
        (_ANSWERED_ID, _element(asked, _MESSAGE_ID)),
        (_DATA_SET_TYPE, _NO_DATA_SET),
        (_STATUS, 0),
    )
    elements = b"".join(struct.pack("<HHIH", 0, tag, 2, value) for tag, value in values)
    whole = struct.pack("<HHII", 0, 0, 4, len(elements)) + elements
    return dimse.pdu(dimse.P_DATA, _IN_A_CONTEXT.pack(len(whole) + 2, context, 3) + whole)


if __name__ == "__main__":
    main(int(sys.argv[1]))
