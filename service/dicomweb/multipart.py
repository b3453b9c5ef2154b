"""Answers of several parts (RFC 2387), sent piece by piece."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Part:
    """One part: what it is, where it stands, and its bytes."""

    content_type: str
    location: str
    body: Iterable[bytes] = field(repr=False)


def multipart(part_type: str, parts: Iterable[Part]) -> StreamingResponse:
    """Return an answer of parts; they are made while it is sent."""
    boundary = uuid.uuid4().hex
    media_type = f'multipart/related; type="{part_type}"; boundary={boundary}'
    return StreamingResponse(_encoded(boundary, parts), headers={"Content-Type": media_type})


def single(part: Part) -> StreamingResponse:
    """Return an answer that is one part alone."""
    headers = {"Content-Type": part.content_type, "Content-Location": part.location}
    return StreamingResponse(iter(part.body), headers=headers)


def _encoded(boundary: str, parts: Iterable[Part]) -> Iterator[bytes]:
    for part in parts:
        head = f"Content-Type: {part.content_type}\r\nContent-Location: {part.location}\r\n"
        yield f"--{boundary}\r\n{head}\r\n".encode("ascii")
        yield from part.body
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode("ascii")


def file_bytes(path: Path) -> Iterator[bytes]:
    """Yield a file."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def slice_bytes(path: Path, start: int, length: int, word: int = 1) -> Iterator[bytes]:
    """Yield part of a file; bytes of words of `word` bytes in the other order."""
    with path.open("rb") as file:
        file.seek(start)
        while length > 0:
            chunk = file.read(min(CHUNK_BYTES, length))
            if not chunk:
                raise EOFError("a file of the spool or the results became shorter")
            length -= len(chunk)
            yield _turned(chunk, word)


def bit_bytes(path: Path, start_bit: int, n_bits: int) -> bytes:
    """Return bits of a file, the first as the lowest of the first byte (PS3.5 8.1.1)."""
    first, shift = divmod(start_bit, 8)
    with path.open("rb") as file:
        data = _read_exactly(file, first, (shift + n_bits + 7) // 8)
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    return np.packbits(bits[shift : shift + n_bits], bitorder="little").tobytes()


def _read_exactly(file: BinaryIO, start: int, length: int) -> bytes:
    file.seek(start)
    data = file.read(length)
    if len(data) < length:
        raise EOFError("a file of the spool or the results became shorter")
    return data


def _turned(chunk: bytes, word: int) -> bytes:
    if word == 1 or len(chunk) % word:
        return chunk
    return np.frombuffer(chunk, f"u{word}").byteswap().tobytes()
