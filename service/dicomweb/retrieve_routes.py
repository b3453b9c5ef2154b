"""WADO-RS: studies, series, instances, their metadata, frames and bulk data (PS3.18 10.4)."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from service.dicomweb.accept import accepted
from service.dicomweb.addressed import held_objects, named
from service.dicomweb.files import EXPLICIT_LE, file_of
from service.dicomweb.frames import (
    OCTETS,
    all_pixels,
    choose_type,
    frame_parts,
    read_frame_list,
)
from service.dicomweb.multipart import Part, multipart, single
from service.dicomweb.parts import DicomWeb, TheParts, root_of
from service.dicomweb.refusals import bad_query, not_acceptable, not_held
from service.dicomweb.search_routes import JSON, accept_json
from service.dicomweb.transfer import DICOM, choose, location_of, object_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.holdings import HeldObject

router = APIRouter()

_STUDY, _SERIES = "/studies/{study}", "/studies/{study}/series/{series}"
_INSTANCE = f"{_SERIES}/instances/{{instance}}"
_STEPS = re.compile(r"[0-9A-Fa-f]{8}(/[1-9][0-9]{0,5}/[0-9A-Fa-f]{8}){0,16}")
_PIXELS = frozenset(("7FE00008", "7FE00009", "7FE00010"))


@router.get(_STUDY, name="dicomweb_retrieve_study")
@router.get(_SERIES, name="dicomweb_retrieve_series")
@router.get(_INSTANCE, name="dicomweb_retrieve_instance")
def retrieve(request: Request, parts: TheParts) -> Response:
    """Give the objects of a study or a series, or one, as files."""
    objects = held_objects(parts, named(request))
    chosen = choose(accepted(request), objects)
    found = object_parts(parts, objects, chosen, root_of(request))
    return single(next(found)) if chosen.alone else multipart(DICOM, found)


@router.get(f"{_STUDY}/metadata", name="dicomweb_study_metadata")
@router.get(f"{_SERIES}/metadata", name="dicomweb_series_metadata")
@router.get(f"{_INSTANCE}/metadata", name="dicomweb_instance_metadata")
def metadata(request: Request, parts: TheParts) -> Response:
    """Give the headers of objects as JSON; an object that cannot be read is left out."""
    accept_json(accepted(request))
    objects = held_objects(parts, named(request))
    found = _headers(parts, objects, root_of(request))
    first = next(found, None)
    if first is None:
        raise not_held("none of these objects can be read")
    return StreamingResponse(_listed(chain((first,), found)), media_type=JSON)


@router.get(f"{_INSTANCE}/frames/{{frames}}", name="dicomweb_retrieve_frames")
def frames(request: Request, parts: TheParts, frames: str) -> Response:
    """Give frames, uncompressed or as they are stored."""
    numbers = read_frame_list(frames)
    return _frames(request, parts, numbers)


@router.get(f"{_INSTANCE}/bulkdata/{{steps:path}}", name="dicomweb_retrieve_bulkdata")
def bulkdata(request: Request, parts: TheParts, steps: str) -> Response:
    """Give one large value that the metadata name by address."""
    if _STEPS.fullmatch(steps) is None:
        raise bad_query("bulk data are named by tag, then item and tag where they are inside")
    if steps.upper() in _PIXELS:
        return _frames(request, parts, None)
    held, root = _one(request, parts)
    value = parts.reader.value(file_of(parts.site, held), steps.upper().split("/"))
    location = f"{location_of(held, root)}/bulkdata/{steps}"
    return _octets(request, Part(OCTETS, location, (value,)))


def _frames(request: Request, parts: DicomWeb, numbers: Sequence[int] | None) -> Response:
    """Give frames, or all pixel data: as one value where it is native."""
    held, root = _one(request, parts)
    path = file_of(parts.site, held)
    places = parts.reader.frames(path)
    location = location_of(held, root)
    if numbers is None and not places.encapsulated:
        content_type = f"{OCTETS}; transfer-syntax={EXPLICIT_LE}"
        return _octets(request, Part(content_type, location, all_pixels(path, places)))
    wanted = numbers or tuple(range(1, places.n_frames + 1))
    how = choose_type(accepted(request), places, len(wanted))
    found = frame_parts(path, places, wanted, how, location)
    return single(next(found)) if how.alone else multipart(how.media_type, found)


def _octets(request: Request, part: Part) -> Response:
    for one in accepted(request):
        if one.takes(OCTETS) and one.transfer_syntax in (None, "*", EXPLICIT_LE):
            alone = not one.is_multipart and one.media_type != "*/*"
            return single(part) if alone else multipart(OCTETS, (part,))
    raise not_acceptable(f'bulk data are given as multipart/related; type="{OCTETS}"')


def _one(request: Request, parts: DicomWeb) -> tuple[HeldObject, str]:
    return held_objects(parts, named(request))[0], root_of(request)


def _headers(parts: DicomWeb, objects: Sequence[HeldObject], root: str) -> Iterator[bytes]:
    asked = [(file_of(parts.site, held), f"{location_of(held, root)}/bulkdata") for held in objects]
    yield from (model for model in parts.reader.metadata(asked) if model is not None)


def _listed(models: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a JSON array, one object at a time."""
    between = b"["
    for model in models:
        yield between + model
        between = b",\n"
    yield b"]"
