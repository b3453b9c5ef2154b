"""Reading a study: files to stations of b-value images, every series with a reason.

Nothing is guessed: a series whose b-value, kind or geometry is not sure is refused, and its
record says why. The rules are those of the project's DICOM reference, part A3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicom_objects.errors import NoUsableDiffusion
from dicom_objects.reading.headers import read_headers
from dicom_objects.reading.pixels import UndecodablePixels, load_image
from dicom_objects.reading.records import DiffusionStudy, SeriesRecord, SourceImage, StationSource
from dicom_objects.reading.screening import FAULTS, Screened, screen
from dicom_objects.reading.series_records import not_dicom, record_of, study_reason
from dicom_objects.reading.shells import shell_table
from dicom_objects.reading.stacks import Refusal
from dicom_objects.reading.stations import StationStacks, build_stations
from imaging.diffusion import DiffusionVolume, Station

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dicom_objects.reading.frames import Frame

__all__ = ["DiffusionStudy", "SeriesRecord", "StationSource", "read_study"]


def read_study(paths: Sequence[Path]) -> DiffusionStudy:
    """Read the files of one study; the order and the names of the files do not matter.

    Returns:
        Stations from feet to head, the files behind each, and a record of every series.

    Raises:
        NoUsableDiffusion: no station can be measured; its `series` say why.

    """
    instances, unreadable = read_headers(sorted(paths))
    extra = [not_dicom(len(unreadable))] if unreadable else []
    screened = [screen(series) for series in _by_series(instances)]
    faults = [r for one in screened for r in one.refusals if r.code in FAULTS]
    stations, refusals = build_stations(_by_shell(screened), faults)
    loaded, sources, undecoded = _load(stations)
    refusals = (*refusals, *undecoded)
    records = [*_records(screened, sources, refusals), *extra]
    _require_one_patient_and_study(instances, records)
    if not loaded:
        raise NoUsableDiffusion(*study_reason(records), records)
    return DiffusionStudy(
        study_uid=instances[0].study_uid,
        stations=tuple(loaded),
        sources=tuple(source for source, _ in sources),
        series=tuple(records),
    )


def _by_series(instances: Sequence[Frame]) -> list[list[Frame]]:
    series: dict[str, list[Frame]] = {}
    for instance in instances:
        series.setdefault(instance.series_uid, []).append(instance)
    return sorted(series.values(), key=lambda s: (s[0].series_number or 0, s[0].series_uid))


def _by_shell(screened: Sequence[Screened]) -> dict[tuple[str, float], list[Frame]]:
    candidates = [i for one in screened for i in one.candidates]
    shells = shell_table({i.b.value for i in candidates if i.b.value is not None})
    groups: dict[tuple[str, float], list[Frame]] = {}
    for instance in candidates:
        if instance.b.value is not None:
            key = (instance.series_uid, shells[instance.b.value])
            groups.setdefault(key, []).append(instance)
    return groups


def _load(
    stations: Sequence[StationStacks],
) -> tuple[list[Station], list[tuple[StationSource, frozenset[str]]], list[Refusal]]:
    """Read the pixels; each source comes with the SOP Instance UIDs that it is made of."""
    loaded: list[Station] = []
    sources: list[tuple[StationSource, frozenset[str]]] = []
    refusals: list[Refusal] = []
    for found in stations:
        name = f"station {len(loaded) + 1}"
        every = tuple(i for stack in found.stacks for i in stack.instances)
        try:
            images = {stack.b: load_image(stack.instances) for stack in found.stacks}
        except UndecodablePixels as error:
            refusals.append(Refusal(every, error.code, f"{error}."))
            continue
        volume = DiffusionVolume(found.stacks[0].geometry, images)
        loaded.append(Station(name, volume))
        images_of = {
            stack.b: tuple(SourceImage(i.path, i.frame_number) for i in stack.instances)
            for stack in found.stacks
        }
        uids = frozenset(i.sop_instance_uid for i in every)
        sources.append((StationSource(name, images_of), uids))
    return loaded, sources, refusals


def _records(
    screened: Sequence[Screened],
    sources: Sequence[tuple[StationSource, frozenset[str]]],
    refusals: Sequence[Refusal],
) -> list[SeriesRecord]:
    used = frozenset(uid for _, uids in sources for uid in uids)
    records = []
    for one in screened:
        uid = one.instances[0].series_uid
        later = [r for r in refusals if r.instances[0].series_uid == uid]
        records.append(record_of(one.instances, used, [*one.refusals, *later]))
    return records


def _require_one_patient_and_study(
    instances: Sequence[Frame], records: Sequence[SeriesRecord]
) -> None:
    if len({i.study_uid for i in instances}) > 1:
        message = "The files belong to more than one study; process one study at a time."
        raise NoUsableDiffusion("SEVERAL_STUDIES", message, records)
    if len({i.patient_id for i in instances}) > 1:
        message = "Two patient IDs occur in one study; correct them at the archive and send again."
        raise NoUsableDiffusion("PATIENT_MISMATCH", message, records)
