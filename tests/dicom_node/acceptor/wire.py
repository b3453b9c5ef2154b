"""Bytes of the upper layer as PS3.8 and PS3.7 lay them out, and a peer that sends what it likes.

Written from the standard's tables and not from our code, which it is held against.
"""

import socket
import struct

VERIFICATION = b"1.2.840.10008.1.1"
MR = b"1.2.840.10008.5.1.4.1.1.4"
PUSH_MODEL = b"1.2.840.10008.1.20.1"
IMPLICIT = b"1.2.840.10008.1.2"
EXPLICIT = b"1.2.840.10008.1.2.1"
APPLICATION = b"1.2.840.10008.3.1.1.1"

RELEASE_RQ = bytes.fromhex("05 00 00000004 00000000")
RELEASE_RP = bytes.fromhex("06 00 00000004 00000000")
ABORT_BY_PEER = bytes.fromhex("07 00 00000004 00000000")


def pdu(kind, body, length=None):
    """A PDU: type, reserved, length of the rest (PS3.8 9.3.1)."""
    return struct.pack(">BBI", kind, 0, len(body) if length is None else length) + body


def item(kind, value, length=None):
    """An item or sub-item: type, reserved, length of the rest."""
    return struct.pack(">BBH", kind, 0, len(value) if length is None else length) + value


def context(context_id, abstract, *syntaxes):
    """A presentation context item of a request (Table 9-13)."""
    inside = item(0x30, abstract) + b"".join(item(0x40, syntax) for syntax in syntaxes)
    return item(0x20, bytes((context_id, 0, 0, 0)) + inside)


def user(*sub_items, maximum=16384):
    """The user information item (9.3.2.3) with maximum length and implementation class UID."""
    length = item(0x51, struct.pack(">I", maximum))
    return item(0x50, length + item(0x52, b"1.2.3.4") + b"".join(sub_items))


def request_body(
    *items, version=1, called=b"OSTEON", calling=b"RAW", application=APPLICATION, users=None
):
    """The body of an A-ASSOCIATE-RQ (Table 9-11)."""
    fixed = struct.pack(">HH16s16s32x", version, 0, called.ljust(16), calling.ljust(16))
    asked = items or (context(1, VERIFICATION, IMPLICIT),)
    return fixed + item(0x10, application) + b"".join(asked) + (user() if users is None else users)


def request(*items, **values):
    """An A-ASSOCIATE-RQ."""
    return pdu(1, request_body(*items, **values))


def value(context_id, control, data, length=None):
    """A presentation data value item (Table 9-23)."""
    size = len(data) + 2 if length is None else length
    return struct.pack(">IBB", size, context_id, control) + data


def p_data(*values):
    """A P-DATA-TF."""
    return pdu(4, b"".join(values))


def element(number, data):
    """An element of group 0000 in Implicit VR Little Endian."""
    padded = data + b"\0" * (len(data) % 2)
    return struct.pack("<HHI", 0, number, len(padded)) + padded


def us(number):
    """An unsigned short."""
    return struct.pack("<H", number)


def command(**elements):
    """A command set: `e0100=us(0x30)` is (0000,0100)."""
    numbered = sorted((int(name[1:], 16), data) for name, data in elements.items())
    body = b"".join(element(number, data) for number, data in numbered)
    return element(0, struct.pack("<I", len(body))) + body


def echo(message_id=1):
    """The command set of a C-ECHO-RQ (PS3.7 Table 9.3-12)."""
    return command(e0002=VERIFICATION, e0100=us(0x30), e0110=us(message_id), e0800=us(0x0101))


def store(instance, message_id=1, sop_class=MR):
    """The command set of a C-STORE-RQ (PS3.7 Table 9.3-1)."""
    return command(
        e0002=sop_class,
        e0100=us(1),
        e0110=us(message_id),
        e0700=us(0),
        e0800=us(1),
        e1000=instance,
    )


def data_element(group, number, vr, data):
    """A short element in Explicit VR Little Endian."""
    padded = data + b"\0" * (len(data) % 2)
    return struct.pack("<HH2sH", group, number, vr, len(padded)) + padded


def data_set(instance, pixels=b"", study=b"1.2.3.10", series=b"1.2.3.10.1", sop_class=MR):
    """An object in Explicit VR Little Endian: four UIDs and pixel data."""
    return (
        data_element(8, 0x16, b"UI", sop_class)
        + data_element(8, 0x18, b"UI", instance)
        + data_element(0x20, 0x0D, b"UI", study)
        + data_element(0x20, 0x0E, b"UI", series)
        + struct.pack("<HH2s2xI", 0x7FE0, 0x10, b"OW", len(pixels))
        + pixels
    )


def fragments(context_id, message, control=0, step=16378):
    """Each fragment of a command (control 1) or data set (0) in a PDU of its own."""
    pieces = [message[begin : begin + step] for begin in range(0, len(message), step)] or [b""]
    for number, piece in enumerate(pieces, 1):
        last = 2 if number == len(pieces) else 0
        yield p_data(value(context_id, control | last, piece))


def stored(context_id, instance, pixels=b"", message_id=1):
    """All PDUs of one C-STORE."""
    command_set = store(instance, message_id)
    return b"".join(
        (
            *fragments(context_id, command_set, 1),
            *fragments(context_id, data_set(instance, pixels)),
        )
    )


def numbers(command_set):
    """The elements of a command set, read as the standard writes them."""
    found, position = {}, 0
    while position < len(command_set):
        group, number, length = struct.unpack_from("<HHI", command_set, position)
        assert group == 0
        found[number] = command_set[position + 8 : position + 8 + length]
        position += 8 + length
    return found


def status_of(body):
    """The status in the body of a P-DATA-TF with one response."""
    return struct.unpack("<H", numbers(body[6:])[0x0900])[0]


class Peer:
    """A connection that sends what it is told and reads PDUs."""

    def __init__(self, port, timeout=10, source="127.0.0.1"):
        """Connect from an address of this host."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.socket.close()

    def send(self, *encoded):
        """Send bytes."""
        self.socket.sendall(b"".join(encoded))

    def read(self):
        """The next PDU as (type, body); None when the connection is closed."""
        try:
            header = self._exactly(6)
            return header[0], self._exactly(int.from_bytes(header[2:6], "big"))
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return None

    def associate(self, *items, **values):
        """Ask for an association, and be let in."""
        self.send(request(*items, **values))
        answer = self.read()
        assert answer is not None
        assert answer[0] == 2, answer
        return answer[1]

    def echo(self, context_id=1, message_id=1):
        """A C-ECHO: its status."""
        self.send(*fragments(context_id, echo(message_id), 1))
        kind, body = self.read()
        assert kind == 4
        return status_of(body)

    def store(self, instance, pixels=b"", context_id=1):
        """A C-STORE: its status."""
        self.send(stored(context_id, instance, pixels))
        kind, body = self.read()
        assert kind == 4, (kind, body)
        return status_of(body)

    def release(self):
        """Release; the answer."""
        self.send(RELEASE_RQ)
        return self.read()

    def _exactly(self, count):
        found = bytearray()
        while len(found) < count:
            more = self.socket.recv(count - len(found))
            if not more:
                raise EOFError
            found += more
        return bytes(found)
