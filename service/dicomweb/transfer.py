"""In which encoding objects are given: as they are stored, or in Explicit VR Little Endian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicom_node.contexts import EXPLICIT_BE, IMPLICIT_LE
from service.dicomweb.files import EXPLICIT_LE, file_of
from service.dicomweb.multipart import Part, file_bytes, slice_bytes
from service.dicomweb.refusals import not_acceptable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from jobs.holdings import HeldObject
    from service.dicomweb.accept import MediaRange
    from service.dicomweb.parts import DicomWeb

DICOM = "application/dicom"
_AS_STORED = "*"
_CAN_BECOME_EXPLICIT = (IMPLICIT_LE, EXPLICIT_BE)


@dataclass(frozen=True)
class Chosen:
    """What a request gets."""

    transfer_syntax: str
    """"*": each object as it is stored."""
    alone: bool
    """The object itself, not as a part of several."""


def choose(ranges: Sequence[MediaRange], objects: Sequence[HeldObject]) -> Chosen:
    """Return the best that is accepted and that all the objects can be given in.

    Without a transfer syntax Explicit VR Little Endian is meant (PS3.18 8.7.3.5.2).

    Raises:
        Refused: none of it.

    """
    for one in ranges:
        alone = one.media_type == DICOM
        wanted = one.transfer_syntax or EXPLICIT_LE
        if not one.takes(DICOM) or (alone and len(objects) > 1):
            continue
        if all(_can_become(wanted, stored_syntax(held)) for held in objects):
            return Chosen(wanted, alone)
    raise not_acceptable(
        'objects are given as multipart/related; type="application/dicom", compressed ones as they '
        "are stored only: add transfer-syntax=*"
    )


def stored_syntax(held: HeldObject) -> str:
    """Return the transfer syntax of an object's file."""
    return held.transfer_syntax_uid or EXPLICIT_LE


def object_parts(
    parts: DicomWeb, objects: Sequence[HeldObject], chosen: Chosen, root: str
) -> Iterator[Part]:
    """Yield the objects; every file is looked for before the first is given.

    Raises:
        Refused: a file is gone, or cannot be written in another encoding.

    """
    files = [file_of(parts.site, held) for held in objects]
    made = (
        _part(parts, held, path, chosen, root) for held, path in zip(objects, files, strict=True)
    )
    first = next(made)  # a refusal of one object is an answer, not a connection that ends

    def all_parts() -> Iterator[Part]:
        yield first
        yield from made

    return all_parts()


def location_of(held: HeldObject, root: str) -> str:
    """Return the address of an object."""
    series = f"{root}/studies/{held.study_uid}/series/{held.series_uid}"
    return f"{series}/instances/{held.sop_instance_uid}"


def _part(parts: DicomWeb, held: HeldObject, path: Path, chosen: Chosen, root: str) -> Part:
    stored = stored_syntax(held)
    location = location_of(held, root)
    if chosen.transfer_syntax in (_AS_STORED, stored):
        return Part(f"{DICOM}; transfer-syntax={stored}", location, file_bytes(path))
    return Part(f"{DICOM}; transfer-syntax={EXPLICIT_LE}", location, _explicit(parts, path))


def _explicit(parts: DicomWeb, path: Path) -> Iterator[bytes]:
    made = parts.reader.explicit(path)

    def pieces() -> Iterator[bytes]:
        yield made.before
        yield from slice_bytes(path, made.start, made.length, made.word)
        yield made.after

    return pieces()


def _can_become(wanted: str, stored: str) -> bool:
    if wanted in (_AS_STORED, stored):
        return True
    return wanted == EXPLICIT_LE and stored in _CAN_BECOME_EXPLICIT
