"""Reading a study: files to stations of b-value images, every series with a reason.

Nothing is guessed: a series whose b-value, kind or geometry is not sure is refused, and its
record says why. The rules are those of the project's DICOM reference, part A3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicom_objects.errors import NoUsableDiffusion
from dicom_objects.reading.adc_units import UnknownAdcUnit, load_adc
from dicom_objects.reading.damage import damage_records
from dicom_objects.reading.headers import read_headers
from dicom_objects.reading.limits import DEFAULT_LIMITS, FitLimits
from dicom_objects.reading.pixels import UndecodablePixels
from dicom_objects.reading.records import DiffusionStudy, SeriesRecord, SourceImage, StationSource
from dicom_objects.reading.series_records import not_dicom, records_of, study_reason
from dicom_objects.reading.station_images import load_stack
from dicom_objects.reading.study_plan import plan_study
from dicom_objects.reading.t1_plan import load_t1, plan_t1, with_t1
from dicom_objects.reading.volumes import Refusal
from imaging.adc import signal_before_decay
from imaging.diffusion import DiffusionVolume, Station

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dicom_objects.reading.damage import DamagedImage
    from dicom_objects.reading.frames import Frame
    from dicom_objects.reading.stations import StationStacks

__all__ = [
    "DiffusionStudy",
    "FitLimits",
    "SeriesRecord",
    "StationSource",
    "describe_study",
    "read_study",
]

StudyReason = tuple[str, str]


def read_study(
    paths: Sequence[Path],
    limits: FitLimits = DEFAULT_LIMITS,
    damaged: Sequence[DamagedImage] = (),
) -> DiffusionStudy:
    """Read the files of one study; the order and the names of the files do not matter.

    Args:
        paths: those that may be read.
        limits: which studies may be measured at all.
        damaged: files of the study that may not; their records say why.

    Returns:
        Stations from feet to head, the files behind each, and a record of every series.

    Raises:
        NoUsableDiffusion: no station can be measured; its `series` say why.

    """
    frames, unreadable = read_headers(sorted(paths))
    plan = plan_study(frames, limits)
    several = _several(frames)
    loaded = [] if several else [_load(found) for found in plan.stations]
    undecoded = [refusal for _, refused in loaded for refusal in refused]
    read = [
        (images, found) for (images, _), found in zip(loaded, plan.stations, strict=False) if images
    ]
    records = records_of(plan, [found for _, found in read], undecoded)
    records += [not_dicom(len(unreadable))] if unreadable else []
    records += damage_records(damaged)
    if several or not read:
        raise NoUsableDiffusion(*(several or study_reason(records)), records)
    names = [f"station {k + 1}" for k in range(len(read))]
    t1, t1_plan = load_t1(plan_t1(plan))
    return DiffusionStudy(
        study_uid=frames[0].study_uid,
        stations=tuple(Station(n, images) for n, (images, _) in zip(names, read, strict=True)),
        sources=tuple(_source(n, found) for n, (_, found) in zip(names, read, strict=True)),
        series=tuple(with_t1(records, t1_plan)),
        t1=t1,
    )


def describe_study(
    paths: Sequence[Path],
    limits: FitLimits = DEFAULT_LIMITS,
    damaged: Sequence[DamagedImage] = (),
) -> tuple[tuple[SeriesRecord, ...], StudyReason | None]:
    """Say of every series what it is and whether it would be used, without loading the stations.

    Returns:
        A record of every series, and why the study cannot be measured (a code and a sentence) or
        None. Whether pixels can be decoded is known only after `read_study`.

    """
    frames, unreadable = read_headers(sorted(paths))
    plan = plan_study(frames, limits)
    several = _several(frames)
    records = records_of(plan, () if several else plan.stations)
    records += [not_dicom(len(unreadable))] if unreadable else []
    records += damage_records(damaged)
    if plan.stations and not several:
        return tuple(with_t1(records, plan_t1(plan))), None
    return tuple(records), several or study_reason(records)


def _load(found: StationStacks) -> tuple[DiffusionVolume | None, list[Refusal]]:
    try:
        images = {stack.b: load_stack(stack) for stack in found.stacks}
        if found.vendor_adc:
            ((b, signal),) = images.items()
            images[0.0] = signal_before_decay(signal, load_adc(found.vendor_adc, signal), b)
    except (UndecodablePixels, UnknownAdcUnit) as error:
        parts = [v.frames for stack in found.stacks for v in stack.volumes]
        parts += [found.vendor_adc] if found.vendor_adc else []
        return None, [Refusal(frames, error.code, f"{error}.") for frames in parts]
    return DiffusionVolume(found.stacks[0].geometry, images), []


def _source(name: str, found: StationStacks) -> StationSource:
    images_of = {
        stack.b: tuple(SourceImage(f.path, f.frame_number) for f in stack.standing_for_it)
        for stack in found.stacks
    }
    vendor_adc = tuple(SourceImage(f.path, f.frame_number) for f in found.vendor_adc)
    return StationSource(name, images_of, vendor_adc)


def _several(frames: Sequence[Frame]) -> StudyReason | None:
    if len({f.study_uid for f in frames}) > 1:
        text = "The files belong to more than one study; process one study at a time."
        return "SEVERAL_STUDIES", text
    if len({f.patient_id for f in frames}) > 1:
        text = "Two patient IDs occur in one study; correct them at the archive and send again."
        return "PATIENT_MISMATCH", text
    return None
