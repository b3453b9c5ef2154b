"""What happens to a study between its images and its results, in order: the whole path.

Inputs are files and a model, outputs are files: no store, no network. `workers.processing` runs it
for a job and delivers; `osteon run` runs it on a folder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dicom_objects.reading.diffusion import read_study
from dicom_objects.reading.limits import DEFAULT_LIMITS, FitLimits
from imaging.adc import AdcSettings, fit_adc, taken_over
from imaging.anatomy import SPINAL_CANAL
from imaging.burden import Seen
from imaging.follow_up import FollowUpSettings
from imaging.lesions import find_lesions
from imaging.measurement import MeasurementSettings, measure
from imaging.normalisation import NormalisationRule, normalise_high_b
from imaging.stations import assemble
from jobs.job import Stage
from workers.anatomy import find_anatomy
from workers.comparison import follow_up, study_images
from workers.disease import burden_method, find_disease
from workers.encoding import Findings, Run, encode
from workers.focal import find_focal
from workers.observations import Observations
from workers.probabilities import KeptAnswers
from workers.reporting import report_notes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from imaging.disease import DiseaseRule
    from imaging.measured_study import StudyImages
    from imaging.measurement import Measurement
    from imaging.model import ModelSpec
    from jobs.result import ResultFile
    from workers.comparison import FollowedUp
    from workers.inference.model import SegmentationModel
    from workers.recording import Recorder


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run gave: what was found, and the files that hold it (paths within the folder)."""

    findings: Findings = field(repr=False)
    files: tuple[ResultFile, ...]


@dataclass(frozen=True)
class Pipeline:
    """The path of a study, for one anatomy model and one set of rules."""

    anatomy: SegmentationModel
    rule: DiseaseRule
    disease: SegmentationModel | None = None
    """None: the rule decides."""
    focal: SegmentationModel | None = None
    """None: focal lesions are not listed."""
    limits: FitLimits = DEFAULT_LIMITS
    measurement: MeasurementSettings = field(default_factory=MeasurementSettings)
    adc: AdcSettings = field(default_factory=AdcSettings)
    normalisation: NormalisationRule = field(default_factory=NormalisationRule)
    comparison: FollowUpSettings = field(default_factory=FollowUpSettings)

    def run(self, paths: Sequence[Path], folder: Path, run: Run, recorder: Recorder) -> Outcome:
        """Measure one study.

        Args:
            paths: every file of the study that may be read (`workers.screening`); those that
                cannot be used get a reason.
            folder: an empty folder for the results.
            run: what identifies this run; results' UIDs follow from it.
            recorder: told of each stage.

        Raises:
            NoUsableDiffusion: no station can be measured; holds a reason for each series.
            UnusableImages: the images cannot be measured.
            ModelMismatch: model and declaration disagree.
            ModelUnavailable: the model is away.

        """
        started_at = datetime.now(UTC)
        kept = KeptAnswers(wanted=run.build.volumes)
        with recorder.stage(Stage.READ):
            study = read_study(paths, self.limits, run.damaged)
            recorder.saw(study.series)
        with recorder.stage(Stage.ASSEMBLE):
            assembly = assemble(study.stations)
        volume, grid = assembly.volume, assembly.volume.geometry
        with recorder.stage(Stage.FIT):
            fit = fit_adc(volume, self.adc)
            fit = taken_over(fit) if study.has_vendor_adc else fit
        with recorder.stage(Stage.ANATOMY):
            body = find_anatomy(fit, grid, kept.of(self.anatomy), recorder.fraction)
        with recorder.stage(Stage.NORMALISE):
            canal = body.labels == SPINAL_CANAL.label
            signal = normalise_high_b(volume.high_b, fit.adc_um2_s, canal, grid, self.normalisation)
        with recorder.stage(Stage.DISEASE):
            seen = Seen(fit, signal.image, body, grid)
            disease = find_disease(seen, kept.of(self.disease), self.rule, recorder.fraction)
            lesions = find_lesions(disease.mask, grid, self.rule.min_volume_ml)
        with recorder.stage(Stage.FOCAL):
            network = kept.of(self.focal)
            focal = find_focal(study.t1, seen, network, self.measurement, recorder.fraction)
        with recorder.stage(Stage.MEASURE):
            measured = measure(fit.adc_um2_s, body.labels, disease, lesions, grid, self.measurement)
            seen_by = Observations(study, assembly, fit, body.labels, signal, measured)
            notes = (*seen_by.notes(), *focal.notes, *report_notes())
        with recorder.stage(Stage.COMPARE):
            followed = self._follow_up(run, measured, study_images(seen, signal, lesions), recorder)
        with recorder.stage(Stage.ENCODE):
            notes = (*notes, *followed.notes)
            made = (followed.measurement, notes, self._specs, burden_method(self.disease, disease))
            told = (signal.unit, started_at, focal.found, followed)
            given = (study, assembly, fit, body.labels, lesions)
            findings = Findings(*given, *made, *told, probabilities=kept.maps)
            return Outcome(findings, encode(findings, run, folder, recorder.seconds))

    def _follow_up(
        self, run: Run, measured: Measurement, images: StudyImages, recorder: Recorder
    ) -> FollowedUp:
        """Compare with the patient's earlier studies; what is new gets UIDs of this run's seed."""
        models = " ".join(spec.sha256 for spec in self._specs)
        seed = f"{run.input_digest} {run.build.settings_digest} {models}"
        told = (seed, recorder.fraction)
        return follow_up(run.history, measured, images, self.comparison, told)

    @property
    def _specs(self) -> tuple[ModelSpec, ...]:
        """The models that are asked, in the order of the path."""
        return tuple(m.spec for m in (self.anatomy, self.disease, self.focal) if m)
