"""The objects that the address of a request names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Request  # noqa: TC002 - FastAPI reads the annotation

from service.dicomweb.refusals import bad_query, not_held

if TYPE_CHECKING:
    from jobs.holdings import HeldObject
    from service.dicomweb.parts import DicomWeb

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_LONGEST_UID = 64  # PS3.5 9.1


@dataclass(frozen=True)
class Named:
    """The UIDs in the address of a request."""

    study_uid: str | None
    series_uid: str | None
    sop_instance_uid: str | None


def named(request: Request) -> Named:
    """Return the UIDs of the address.

    Raises:
        Refused: one of them is none.

    """
    given = request.path_params
    for name in ("study", "series", "instance"):
        uid = given.get(name)
        if uid is not None and (len(uid) > _LONGEST_UID or _UID.fullmatch(uid) is None):
            raise bad_query(f"what stands for the {name} in the address is no UID")
    return Named(given.get("study"), given.get("series"), given.get("instance"))


def held_objects(parts: DicomWeb, what: Named) -> tuple[HeldObject, ...]:
    """Return the objects that are named.

    Raises:
        Refused: there are none.

    """
    study_uid = what.study_uid or ""
    found = parts.site.store.held_objects(study_uid, what.series_uid, what.sop_instance_uid)
    if not found:
        raise not_held("Osteon holds no such study, series or instance")
    return found
