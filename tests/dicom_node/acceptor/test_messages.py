"""Fragments become messages, or the association ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_node.acceptor.messages import Assembly
from dicom_node.acceptor.violations import Violation
from tests.dicom_node.acceptor import wire


class Sink:
    def __init__(self):
        self.data = bytearray()

    def take(self, fragment):
        self.data += fragment


class Heard:
    """An assembly and what began in it."""

    def __init__(self, contexts=(1, 3)):
        self.begun = []
        self.assembly = Assembly(contexts, self._begin)

    def add(self, *values):
        return self.assembly.add(memoryview(b"".join(values)))

    def _begin(self, context_id, command):
        self.begun.append((context_id, command.field, sink := Sink()))
        return sink


def test_a_command_without_data_is_a_message():
    heard = Heard()
    assert heard.add(wire.value(1, 3, wire.echo()))
    assert [(c, field) for c, field, _ in heard.begun] == [(1, 0x30)]
    assert not heard.assembly.under_way


@given(st.binary(max_size=200), st.integers(1, 60), st.integers(1, 60))
def test_however_it_is_cut_the_data_set_arrives(data, command_step, data_step):
    heard = Heard()
    command = wire.store(b"1.2.3")
    pieces = [
        *_cut(command, command_step, 1),
        *_cut(data, data_step, 0),
    ]
    whole = [heard.add(wire.value(3, control, piece)) for control, piece in pieces]
    assert whole == [False] * (len(whole) - 1) + [True]
    (begun,) = heard.begun
    assert begun[2].data == data


def test_command_and_data_may_share_a_pdu():
    heard = Heard()
    assert heard.add(
        wire.value(1, 1, wire.store(b"1.2")[:40]),
        wire.value(1, 3, wire.store(b"1.2")[40:]),
        wire.value(1, 0, b"ab"),
        wire.value(1, 2, b"cd"),
    )
    assert heard.begun[0][2].data == b"abcd"


@pytest.mark.parametrize(
    "values",
    [
        [wire.value(5, 3, wire.echo())],  # not accepted
        [wire.value(1, 2, b"data first")],
        [wire.value(1, 1, wire.store(b"1.2")[:40]), wire.value(3, 3, wire.store(b"1.2")[40:])],
        [wire.value(1, 3, wire.store(b"1.2")), wire.value(3, 2, b"data")],
        [wire.value(1, 3, wire.store(b"1.2")), wire.value(1, 3, wire.echo())],
        [wire.value(1, 3, wire.echo()), wire.value(1, 3, wire.echo())],
        [wire.value(1, 3, b"")],
        [wire.value(1, 1, bytes(10_000)), wire.value(1, 1, bytes(10_000))],
    ],
)
def test_fragments_that_make_no_message_are_refused(values):
    with pytest.raises(Violation):
        Heard().add(*values)


def test_a_second_message_may_come_in_another_pdu():
    heard = Heard()
    assert [heard.add(wire.value(1, 3, wire.echo())) for _ in range(2)] == [True, True]
    assert len(heard.begun) == 2


def _cut(message, step, control):
    pieces = [message[begin : begin + step] for begin in range(0, len(message), step)] or [b""]
    return [
        (control | (2 if number == len(pieces) else 0), piece)
        for number, piece in enumerate(pieces, 1)
    ]
