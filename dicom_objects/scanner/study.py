"""The phantom's scanner: an acquisition as a full MR study in classic MR Image Storage.

One series per station and b-value (trace images), as most whole-body protocols send them, and
the series around them that a reader must leave alone: localizer, T2 and the vendor's ADC maps.
Everything is synthetic and says so (Manufacturer "OSTEON PHANTOM"). The same acquisition and
identity give the same UIDs and the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.scanner.mr_image import MRSeries, header_of, write_series
from dicom_objects.uids import derived_uid
from phantom.distractors import localizer, t2_stack
from phantom.patient import make_patient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom import Dataset

    from imaging.diffusion import Station
    from imaging.geometry import Geometry
    from phantom.acquisition import Acquisition

_FULL_SCALE = 16000
"""The brightest voxel's stored value: all series of a study share one scale, as one scan does."""
_ADC_NOISE_FLOOR = 0.02
"""Vendors blank their ADC map where the low-b signal is below this share of the brightest."""


@dataclass(frozen=True)
class Identity:
    """Who the synthetic study says it is about; dates YYYYMMDD, time HHMMSS."""

    patient_name: str = "OSTEON^PHANTOM"
    patient_id: str = "OSTEON-PHANTOM"
    birth_date: str = "19600101"
    sex: str = "M"
    accession_number: str = "PHANTOM1"
    study_date: str = "20250115"
    study_time: str = "101500"
    study_id: str = "1"


@dataclass(frozen=True)
class _Sequence:
    """What tells one series from another, apart from its pixels and its b-value."""

    number: int
    description: str
    image_type: tuple[str, ...]
    scanning: str
    echo_time_ms: float
    repetition_time_ms: float


def write_study(
    acquisition: Acquisition,
    folder: Path,
    identity: Identity | None = None,
    distractors: bool = True,
) -> tuple[Path, ...]:
    """Write the acquisition under `folder`, one sub-folder a series; return the files.

    Args:
        acquisition: stations on one patient coordinate system, signal in any positive unit.
        folder: made if it does not exist.
        identity: patient and study attributes; by default one that names the seed.
        distractors: whether localizer, T2 and vendor ADC series are written as well.

    """
    who = identity or Identity(patient_id=f"OSTEON-PHANTOM-{acquisition.seed}")
    scan = _Scan(acquisition, who)
    series = list(scan.around()) if distractors else []
    series += scan.diffusion()
    series += scan.vendor_adc() if distractors else []
    paths: list[Path] = []
    for one in sorted(series, key=lambda s: int(s.header.SeriesNumber)):
        name = f"{int(one.header.SeriesNumber):03d}_{one.header.SeriesDescription}"
        paths += write_series(one, folder / name)
    return tuple(paths)


class _Scan:
    """The series of one acquisition."""

    def __init__(self, acquisition: Acquisition, identity: Identity) -> None:
        self._stations = acquisition.stations
        self._identity = identity
        self._seed = acquisition.seed
        self._key = (str(acquisition.seed), repr(identity), _digest(acquisition.stations))
        self._frame = derived_uid(*self._key, "frame of reference")
        brightest = max(
            float(image.max()) for s in acquisition.stations for image in s.volume.images.values()
        )
        self._unit = brightest / _FULL_SCALE
        self._shared = _study_header(identity, derived_uid(*self._key, "study"))

    def diffusion(self) -> Iterator[MRSeries]:
        for position, station in enumerate(self._stations, start=1):
            for k, (b, image) in enumerate(station.volume.images.items(), start=1):
                sequence = _Sequence(
                    number=100 * position + k,
                    description=f"DWI_st{position}_b{b:g}",
                    image_type=("ORIGINAL", "PRIMARY", "DIFFUSION", "TRACEW"),
                    scanning="EP",
                    echo_time_ms=66.0,
                    repetition_time_ms=6500.0,
                )
                series = self._series(sequence, station.volume.geometry, image)
                series.header.DiffusionBValue = float(b)
                series.header.DiffusionDirectionality = "NONE" if b <= 10 else "ISOTROPIC"
                yield series

    def vendor_adc(self) -> Iterator[MRSeries]:
        for position, station in enumerate(self._stations, start=1):
            if len(station.volume.b_values) < 2:
                continue
            sequence = _Sequence(
                number=100 * position + 50,
                description=f"DWI_st{position}_ADC",
                image_type=("DERIVED", "PRIMARY", "DIFFUSION", "ADC"),
                scanning="EP",
                echo_time_ms=66.0,
                repetition_time_ms=6500.0,
            )
            # Vendors store the map as integers of 1e-6 mm²/s with slope 1.
            yield self._series(sequence, station.volume.geometry, _vendor_adc(station), unit=1.0)

    def around(self) -> Iterator[MRSeries]:
        """Yield what else a study contains: a localizer and a T2 series of the same person."""
        patient = make_patient(self._seed)
        scout = _Sequence(1, "localizer", ("ORIGINAL", "PRIMARY", "M", "ND"), "GR", 3.4, 7.5)
        turbo = _Sequence(2, "T2_HASTE_pelvis", ("ORIGINAL", "PRIMARY", "M", "ND"), "SE", 92, 1200)
        for sequence, (image, geometry) in (
            (scout, localizer(patient)),
            (turbo, t2_stack(patient)),
        ):
            unit = max(float(image.max()), 1e-6) / _FULL_SCALE
            yield self._series(sequence, geometry, image, unit=unit)

    def _series(
        self,
        sequence: _Sequence,
        geometry: Geometry,
        image: NDArray[np.float32],
        unit: float | None = None,
    ) -> MRSeries:
        unit = self._unit if unit is None else unit
        pixels = np.clip(np.rint(image / unit), 0, np.iinfo(np.uint16).max).astype(np.uint16)
        header = header_of({})
        header.update(self._shared)
        header.update(_series_header(sequence, self._identity))
        header.SeriesInstanceUID = derived_uid(*self._key, "series", str(sequence.number))
        grid = replace(geometry, frame_of_reference_uid=str(self._frame))
        return MRSeries(header, grid, pixels, rescale=(unit, 0.0))


def _digest(stations: tuple[Station, ...]) -> str:
    """Tell acquisitions of one seed apart that differ in options: new pixels need new UIDs."""
    digest = hashlib.blake2b(digest_size=16)
    for station in stations:
        volume = station.volume
        digest.update(repr((station.name, volume.b_values, volume.geometry.shape)).encode())
        digest.update(volume.geometry.affine.tobytes())
        digest.update(np.ascontiguousarray(volume.high_b).data)
    return digest.hexdigest()


def _vendor_adc(station: Station) -> NDArray[np.float32]:
    """Two-point ADC in 1e-6 mm²/s from the lowest and the highest b-value; 0 is background."""
    b_values = station.volume.b_values
    low, high = station.volume.images[b_values[0]], station.volume.high_b
    valid = (low > _ADC_NOISE_FLOOR * low.max()) & (high > 0)
    ratio = np.divide(low, high, out=np.ones_like(low), where=valid)
    adc = np.log(ratio) / (b_values[-1] - b_values[0]) * 1e6
    return np.clip(adc, 0.0, 4095.0).astype(np.float32)


def _study_header(identity: Identity, study_uid: str) -> Dataset:
    return header_of(
        {
            "SpecificCharacterSet": "ISO_IR 192",
            "StudyInstanceUID": study_uid,
            "StudyDate": identity.study_date,
            "StudyTime": identity.study_time,
            "StudyID": identity.study_id,
            "StudyDescription": "WHOLE BODY DIFFUSION (SYNTHETIC)",
            "AccessionNumber": identity.accession_number,
            "ReferringPhysicianName": "",
            "PatientName": identity.patient_name,
            "PatientID": identity.patient_id,
            "PatientBirthDate": identity.birth_date,
            "PatientSex": identity.sex,
            "PatientAge": "064Y",
            "PatientSize": 1.75,
            "PatientWeight": 78.0,
            "Manufacturer": "OSTEON PHANTOM",
            "ManufacturerModelName": "Synthetic whole-body scanner",
            "DeviceSerialNumber": "0",
            "SoftwareVersions": "1",
            "InstitutionName": "",
            "Modality": "MR",
            "MagneticFieldStrength": 1.5,
            "BodyPartExamined": "WHOLEBODY",
            "PatientPosition": "HFS",
        }
    )


def _series_header(sequence: _Sequence, identity: Identity) -> Dataset:
    minutes = (int(identity.study_time[2:4]) + sequence.number // 50) % 60
    time = f"{identity.study_time[:2]}{minutes:02d}{sequence.number % 50:02d}"
    return header_of(
        {
            "ImageType": list(sequence.image_type),
            "SeriesNumber": sequence.number,
            "AcquisitionNumber": 1,
            "SeriesDescription": sequence.description,
            "ProtocolName": sequence.description,
            "SeriesDate": identity.study_date,
            "SeriesTime": time,
            "AcquisitionDate": identity.study_date,
            "AcquisitionTime": time,
            "ContentDate": identity.study_date,
            "ContentTime": time,
            "ScanningSequence": sequence.scanning,
            "SequenceVariant": "SK",
            "ScanOptions": "FS",
            "MRAcquisitionType": "2D",
            "EchoTime": sequence.echo_time_ms,
            "RepetitionTime": sequence.repetition_time_ms,
            "EchoTrainLength": 1,
            "NumberOfAverages": 1,
            "FlipAngle": 90,
        }
    )
