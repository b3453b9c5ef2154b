"""Damaged DICOM objects from a seed number: mutants of sound ones, and bombs.

`python -m tests.chaos.mutated_objects_gauntlet` sends so many through what receives and
what screens, and prints what became of them (D-13). The same numbers give the same bytes.
"""

from __future__ import annotations

import random
import re
import struct
import zlib
from collections.abc import Callable, Iterator

from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from tests.chaos.mutated_objects_seeds import (
    diffusion,
    encapsulated,
    enhanced_diffusion,
    seeds,
    written,
)

_VRS = b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV"  # noqa: E501
_VR = re.compile(b"|".join(_VRS.split()))
_LENGTHS = (0, 1, 7, 0xFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFF0, 0xFFFFFFFE, 0xFFFFFFFF)
_CHARACTER_SETS = (b"ISO 2022 IR 87", b"GB18030", b"\\\\\\\\", b"ISO_IR 666", b"\xff\xfe", b"utf_7")
_DATA_SET = 132 + 150
"""Most mutations fall behind preamble and file meta information."""

Mutation = Callable[[random.Random, bytearray], None]


def mutants(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield names and bytes of `count` damaged objects; 1 to 16 mutations each."""
    rng = random.Random(seed)
    sound = sorted(seeds().items())
    for number in range(count):
        name, data = sound[number % len(sound)]
        damaged = bytearray(data)
        for _ in range(rng.randint(1, rng.choice((1, 4, 16)))):
            rng.choice(_MUTATIONS)(rng, damaged)
        yield f"{number} {name}", bytes(damaged)


def _place(rng: random.Random, data: bytearray) -> int:
    start = 0 if rng.random() < 0.05 else min(_DATA_SET, len(data))
    return rng.randint(start, max(start, len(data) - 1))


def _element(rng: random.Random, data: bytearray) -> int:
    """Return where the VR of some element may stand; any place where none is."""
    found = [match.start() for match in _VR.finditer(data, 140)]
    return rng.choice(found) if found else _place(rng, data)


def _flip(rng: random.Random, data: bytearray) -> None:
    at = _place(rng, data)
    if at < len(data):
        data[at] ^= 1 << rng.randrange(8)


def _overwrite(rng: random.Random, data: bytearray) -> None:
    at = _place(rng, data)
    data[at : at + rng.choice((1, 2, 4, 8, 64))] = rng.randbytes(rng.choice((1, 2, 4, 8, 64)))


def _wrong_length(rng: random.Random, data: bytearray) -> None:
    at, value = _element(rng, data) + 2, rng.choice(_LENGTHS)
    if rng.random() < 0.5:
        data[at : at + 2] = struct.pack("<H", value & 0xFFFF)
    else:
        data[at + 2 : at + 6] = struct.pack("<L", value)


def _wrong_vr(rng: random.Random, data: bytearray) -> None:
    at = _element(rng, data)
    data[at : at + 2] = rng.choice((*_VRS.split(), b"XX", b"\0\0", b"??"))


def _cut(rng: random.Random, data: bytearray) -> None:
    del data[_place(rng, data) :]


def _remove(rng: random.Random, data: bytearray) -> None:
    at = rng.choice((_place(rng, data), _element(rng, data) - 4))
    del data[at : at + rng.randint(1, 40)]


def _repeat(rng: random.Random, data: bytearray) -> None:
    at = rng.choice((_place(rng, data), _element(rng, data) - 4))
    data[at:at] = data[at : at + rng.randint(1, 200)] * rng.choice((1, 2, 50))


def _sequence(rng: random.Random, data: bytearray) -> None:
    """Put in the beginning of a sequence that nothing ends."""
    at = _element(rng, data) - 4
    data[at:at] = _NESTED_ONCE * rng.choice((1, 3, 40))


def _character_set(rng: random.Random, data: bytearray) -> None:
    at = data.find(b"\x08\x00\x05\x00CS")
    if at >= 0:
        value = rng.choice(_CHARACTER_SETS)
        value += b" " * (len(value) % 2)
        end = at + 8 + int.from_bytes(data[at + 6 : at + 8], "little")
        data[at + 6 : end] = struct.pack("<H", len(value)) + value


def _number(rng: random.Random, data: bytearray) -> None:
    """Give rows, columns, bits, frames or a private number another value."""
    found = [m.end() for m in re.finditer(rb"\x28\x00[\x08\x10\x11\x00-\x03]\x00US\x02\x00", data)]
    if found:
        at = rng.choice(found)
        data[at : at + 2] = struct.pack("<H", rng.choice((0, 1, 3, 9, 12, 255, 4096, 0xFFFF)))


_MUTATIONS: tuple[Mutation, ...] = (
    _flip, _overwrite, _overwrite, _wrong_length, _wrong_length, _wrong_vr,
    _cut, _remove, _repeat, _sequence, _character_set, _number,
)  # fmt: skip
_NESTED_ONCE = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"


def bombs() -> Iterator[tuple[str, bytes]]:
    """Yield names and bytes of objects that make a reader eat memory, time or its stack."""
    head, pixels = _parts(written(diffusion(), "1.2.840.10008.1.2.1"))
    implicit, implicit_pixels = _parts(written(diffusion(), "1.2.840.10008.1.2"))
    yield "deflate", _deflated(head, 300)
    yield "depth", head + _NESTED_ONCE * 100_000 + pixels
    yield "depth of known lengths", implicit + _nested_lengths(2_000) + implicit_pixels
    yield "items", head + _sequence_of(b"\xfe\xff\x00\xe0\0\0\0\0" * 2_000_000) + pixels
    yield "elements", head + b"\x09\x00\x10\x10UN\0\0\0\0\0\0" * 1_000_000 + pixels
    yield "giant length", head + b"\x09\x00\x10\x10OB\0\0\xf0\xff\xff\xff" + pixels
    yield "odd length", head + b"\x09\x00\x10\x10LO\x03\0abc" + pixels
    yield "values", head + _long(b"\x20\x00\x37\x00", b"UC", b"1\\" * 4_000_000) + pixels
    yield "wrong VR", head.replace(b"\x20\x00\x37\x00DS", b"\x20\x00\x37\x00SQ") + pixels
    yield "character set", head.replace(b"ISO_IR 100", b"\\\xff\xfe\\GB_23\\") + pixels
    yield "frames", _numbered(NumberOfFrames=2**31 - 1)
    yield "rows and columns", _numbered(Rows=65535, Columns=65535)
    yield "frames of groups", enhanced_bomb()
    noise = random.Random(0).randbytes(20_000)
    for syntax in (RLELossless, JPEG2000Lossless, JPEGLSLossless, JPEGLosslessSV1):
        yield f"garbage as {syntax.name}", encapsulated([noise], syntax)
        grown = {"Rows": 65535, "Columns": 65535}
        yield f"large {syntax.name}", encapsulated([noise], syntax, **grown)


def enhanced_bomb() -> bytes:
    """Return an enhanced object with far more groups than frames."""
    data_set = enhanced_diffusion()
    data_set.PerFrameFunctionalGroupsSequence = (
        list(data_set.PerFrameFunctionalGroupsSequence) * 300
    )
    return written(data_set, "1.2.840.10008.1.2.1")


def _parts(data: bytes) -> tuple[bytes, bytes]:
    at = data.index(b"\xe0\x7f\x10\x00")
    return data[:at], data[at:]


def _long(tag: bytes, vr: bytes, value: bytes) -> bytes:
    return tag + vr + bytes(2) + struct.pack("<L", len(value)) + value


def _sequence_of(items: bytes) -> bytes:
    return _long(b"\x08\x00\x40\x11", b"SQ", items)


def _nested_lengths(depth: int) -> bytes:
    """Return sequences in implicit VR whose lengths are all given."""
    inside = b""
    for _ in range(depth):
        item = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(inside)) + inside
        inside = b"\x08\x00\x40\x11" + struct.pack("<L", len(item)) + item
    return inside


def _numbered(**values: int) -> bytes:
    data_set = diffusion()
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    return written(data_set, "1.2.840.10008.1.2.1")


def _deflated(head: bytes, size_mib: int) -> bytes:
    """Return a deflated file of few bytes whose data set is so large."""
    plain = written(diffusion(), DeflatedExplicitVRLittleEndian)
    meta = plain[: 144 + int.from_bytes(plain[140:144], "little")]
    data_set = head[144 + int.from_bytes(head[140:144], "little") :]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    opening = b"\x09\x00\x10\x10OB\0\0" + struct.pack("<L", size_mib * 2**20)
    parts = [packer.compress(data_set + opening)]
    parts += [packer.compress(bytes(2**20)) for _ in range(size_mib)]
    return meta + b"".join(parts) + packer.flush()
