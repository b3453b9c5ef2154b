"""Under which name and UID a lesion is known: the same in all studies of a patient."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from imaging.lesion_tracks import Link
    from imaging.measured_study import KnownLesion, MeasuredStudy
    from imaging.measurement import Measurement


@dataclass(frozen=True)
class Identity:
    """Tracking ID (0062,0020) and Tracking UID (0062,0021) of a lesion."""

    name: str
    tracking_uid: str


def identify_lesions(
    now: MeasuredStudy,
    earlier: Sequence[MeasuredStudy],
    followed: Sequence[tuple[MeasuredStudy, Sequence[Link]]],
    new_uid: Callable[[str], str],
) -> dict[int, Identity]:
    """Return the identity of every lesion of this study by its number in the lesion map.

    A lesion keeps its identity. Of lesions that merged the largest gives it, of the parts of one
    that split the largest takes it. Numbers of lesions that are gone are not given again.

    Args:
        now: the study.
        earlier: all earlier studies, whose names are taken.
        followed: earlier studies whose lesions were followed, the one that decides first.
        new_uid: gives a lesion that was not known before its tracking UID, by its name.

    """
    given: dict[int, Identity] = {}
    taken: set[str] = set()
    for study, links in followed:
        for link in links:
            free = [lesion for lesion in _of(now, link.now) if lesion.label not in given]
            known = [k for k in _of(study, link.earlier) if k.name not in taken]
            for lesion, before in zip(free, known, strict=False):
                uid = before.tracking_uid or new_uid(before.name)
                given[lesion.label] = Identity(before.name, uid)
                taken.add(before.name)
    next_number = _last_number(earlier) + 1
    for lesion in _of(now, [lesion.label for lesion in now.lesions]):
        if lesion.label not in given:
            name = f"L{next_number:02d}" if earlier else lesion.name
            given[lesion.label] = Identity(name, new_uid(name))
            next_number += 1
    return given


def with_identities(measurement: Measurement, known: Mapping[int, Identity]) -> Measurement:
    """Return the measurement with its lesions under their names and tracking UIDs."""
    lesions = tuple(
        replace(
            lesion, name=known[lesion.label].name, tracking_uid=known[lesion.label].tracking_uid
        )
        for lesion in measurement.lesions
    )
    return replace(measurement, lesions=lesions)


def _of(study: MeasuredStudy, labels: Iterable[int]) -> list[KnownLesion]:
    """Return the lesions with these numbers, the largest first."""
    chosen = set(labels)
    found = [lesion for lesion in study.lesions if lesion.label in chosen]
    return sorted(found, key=lambda lesion: (-lesion.volume_ml, lesion.label))


def _last_number(studies: Sequence[MeasuredStudy]) -> int:
    names = [lesion.name for study in studies for lesion in study.lesions]
    names += [name for study in studies for name in study.former_names]
    return max((int(found[0]) for name in names if (found := re.findall(r"\d+$", name))), default=0)
