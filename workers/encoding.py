"""The encode stage: what was found becomes files, each with the digest of its bytes."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from dicom_objects.writing.results import ResultContent, encode_results
from imaging.provenance import BurdenMethod, ModelIdentity, Provenance
from report.content import ReportContent, ReportImages
from report.documents import measurements_json
from report.histogram import adc_histogram
from report.mip import View
from report.mip_image import mip_png
from report.picture import result_picture
from report.spreadsheet import lesions_csv
from workers.beside import written_beside
from workers.reporting import ReportMaker
from workers.results_folder import object_file, result_file
from workers.time_points import FILE_NAME, KIND, write_time_point
from workers.volumes import write_volumes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from dicom_objects.reading.damage import DamagedImage
    from dicom_objects.reading.records import DiffusionStudy
    from imaging.adc import AdcFit
    from imaging.focal_lesions import FocalLesions
    from imaging.measurement import Measurement
    from imaging.model import ModelSpec
    from imaging.quality import QualityNote
    from imaging.stations import Assembly
    from jobs.result import ResultFile
    from workers.comparison import FollowedUp, History
    from workers.configuration import Build
    from workers.probabilities import ProbabilityMap


@dataclass(frozen=True)
class Run:
    """What identifies one run: equal runs give equal UIDs and equal bytes in the PACS."""

    run_id: str
    at: datetime
    """When the input was complete: the content time of the results, the same in every attempt."""
    input_digest: str
    """Of all instances, `jobs.study.input_digest`."""
    build: Build
    history: History | None = None
    """The patient's earlier studies; None: they are not looked for."""
    damaged: tuple[DamagedImage, ...] = ()
    """Files of the study that may not be read, for their records."""


@dataclass(frozen=True, eq=False)
class Findings:
    """Everything that a run found, on the whole-body grid."""

    study: DiffusionStudy
    assembly: Assembly
    fit: AdcFit
    labels: NDArray[np.uint8] = field(repr=False)
    lesion_labels: NDArray[np.uint16] = field(repr=False)
    measurement: Measurement
    quality: tuple[QualityNote, ...]
    models: tuple[ModelSpec, ...]
    """That were asked, in order: anatomy, disease and focal lesions where networks find them."""
    burden: BurdenMethod
    normalisation: str
    started_at: datetime
    focal: FocalLesions | None = None
    """The second definition of disease; None where it was not looked for or could not be."""
    followed: FollowedUp | None = None
    """What became of the disease since earlier studies; None: nothing is kept for later ones."""
    probabilities: tuple[ProbabilityMap, ...] = ()
    """What the networks answered, to look at; empty where nobody keeps it."""


def encode(
    findings: Findings, run: Run, folder: Path, seconds: Mapping[str, float]
) -> tuple[ResultFile, ...]:
    """Write SEG, SR, numbers, pictures, report and volumes; paths are relative to `folder`."""
    with written_beside(
        lambda: _time_point(findings, folder),
        lambda: write_volumes(findings, folder) if run.build.volumes else (),
    ) as (time_point, volumes):
        objects = tuple(_dicom(findings, run, folder))
        images = _images(findings)
        content = _report_content(findings, run, seconds, images)
        dated = dataclasses.replace(content, provenance=_provenance(findings, run, run.at, run.at))
        report = ReportMaker(dated, images, findings.study, run.build, uid_seed(findings, run))
        return (
            *objects,
            *_documents(content, folder),
            *_pictures(content, images, folder),
            *report.files(folder),
            *time_point(),
            *volumes(),
        )


def uid_seed(findings: Findings, run: Run) -> str:
    """Return what the UIDs of the results derive from: other bytes always have another seed."""
    followed = findings.followed
    models = (
        f"{spec.name} {spec.version} {spec.sha256} {sorted(spec.thresholds.items())}"
        for spec in findings.models
    )
    parts = (
        findings.study.study_uid,
        run.input_digest,
        run.at.isoformat(),
        *models,
        run.build.settings_digest,
        f"adc map {run.build.adc_map}",
        *(f"earlier {digest}" for digest in (followed.digests if followed else ())),
        *(f"note {note.code}" for note in findings.quality),  # one can depend on the machine
        f"{run.build.software_version} {run.build.git_commit} {run.build.device_uid}",
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _dicom(findings: Findings, run: Run, folder: Path) -> Iterator[ResultFile]:
    content = ResultContent(
        study=findings.study,
        assembly=findings.assembly,
        fit=findings.fit,
        labels=findings.labels,
        lesion_labels=findings.lesion_labels,
        measurement=findings.measurement,
        provenance=_provenance(findings, run, run.at, run.at),
        uid_seed=uid_seed(findings, run),
        quality=findings.quality,
        adc_map=run.build.adc_map,
        focal=findings.focal,
        changes=findings.followed.changes() if findings.followed else (),
    )
    for made in encode_results(content, folder):
        yield object_file(made, folder)


def _documents(content: ReportContent, folder: Path) -> Iterator[ResultFile]:
    texts = {
        "measurements": ("measurements.json", measurements_json(content)),
        "lesions": ("lesions.csv", lesions_csv(content)),
    }
    for kind, (name, text) in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
        yield result_file(kind, name, folder)


def _time_point(findings: Findings, folder: Path) -> Iterator[ResultFile]:
    """Write the arrays that a later study is compared with."""
    if findings.followed is not None:
        write_time_point(findings.followed.images, folder / FILE_NAME)
        yield result_file(KIND, FILE_NAME, folder)


def _images(findings: Findings) -> ReportImages:
    volume = findings.assembly.volume
    return ReportImages(
        geometry=volume.geometry,
        high_b=volume.high_b,
        adc_um2_s=findings.fit.adc_um2_s,
        disease=findings.lesion_labels > 0,
        prior=_prior_images(findings),
    )


def _prior_images(findings: Findings) -> ReportImages | None:
    """Return the earlier study with its signal in this study's unit, so that one window fits."""
    followed = findings.followed
    if followed is None or followed.prior_images is None:
        return None
    prior, now = followed.prior_images, followed.images
    if not now.signal_unit or prior.signal_unit != now.signal_unit:
        return None
    known = now.signal > 0
    unit = np.median(findings.assembly.volume.high_b[known] / now.signal[known])
    disease = prior.lesion_labels > 0
    return ReportImages(prior.geometry, prior.signal * np.float32(unit), prior.adc_um2_s, disease)


def _pictures(content: ReportContent, images: ReportImages, folder: Path) -> Iterator[ResultFile]:
    (folder / "result.png").write_bytes(result_picture(content, images))
    yield result_file("picture", "result.png", folder)
    thresholds = content.measurement.thresholds_um2_s
    for view in (View.CORONAL, View.SAGITTAL):
        name = f"mip_{view.value}.png"
        (folder / name).write_bytes(mip_png(images, view, thresholds_um2_s=thresholds))
        yield result_file("mip", name, folder)


def _report_content(
    findings: Findings, run: Run, seconds: Mapping[str, float], images: ReportImages
) -> ReportContent:
    now = datetime.now(UTC)
    return ReportContent(
        study_uid=findings.study.study_uid,
        measurement=findings.measurement,
        provenance=_provenance(findings, run, findings.started_at, now),
        b_values=findings.fit.b_values,
        fit=findings.fit.method,
        normalisation=findings.normalisation,
        spacing_mm=findings.assembly.volume.geometry.spacing_mm,
        series=tuple(dataclasses.asdict(record) for record in findings.study.series),
        quality=findings.quality,
        stages=dict(seconds),
        focal=findings.focal,
        histogram_ml=adc_histogram(images).volumes_ml,
        comparison=findings.followed.comparison if findings.followed else None,
        origin=run.history.origin if run.history else None,
    )


def _provenance(findings: Findings, run: Run, start: datetime, end: datetime) -> Provenance:
    return Provenance(
        software_version=run.build.software_version,
        git_commit=run.build.git_commit,
        models=tuple(ModelIdentity(s.name, s.version, s.sha256) for s in findings.models),
        settings_digest=run.build.settings_digest,
        device_uid=run.build.device_uid,
        run_id=run.run_id,
        started_at=start.isoformat(timespec="seconds"),
        finished_at=end.isoformat(timespec="seconds"),
        burden=findings.burden,
    )
