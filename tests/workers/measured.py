"""A small run: the findings of a study of one station whose DICOM lies in a folder."""

from datetime import UTC, datetime

import numpy as np

from dicom_objects.reading.diffusion import read_study
from dicom_objects.scanner.study import write_study
from imaging.focal_lesions import FocalLesions
from imaging.geometry import Geometry
from imaging.measurement import MeasurementSettings, measure_lesions
from imaging.provenance import ModelIdentity
from imaging.volume_file import probability_volume
from tests.dicom_objects.conftest import make_acquisition, make_content
from tests.workers.conftest import BUILD
from workers.encoding import Findings, Run
from workers.probabilities import ProbabilityMap

RUN = Run("run-1", datetime(2026, 3, 1, 12, tzinfo=UTC), "ab" * 32, BUILD)
COARSE = Geometry.axial((8, 16, 16), (5.0, 6.0, 6.0), (-45.0, -45.0, 0.0))
"""A network's grid over the station's."""


def findings_of(folder, n_stations=1):
    """Write the study's DICOM into `folder` and return what a run would have found."""
    made = make_content(
        read_study(write_study(make_acquisition(n_stations), folder, distractors=False))
    )
    return Findings(
        study=made.study,
        assembly=made.assembly,
        fit=made.fit,
        labels=made.labels,
        lesion_labels=made.lesion_labels,
        measurement=made.measurement,
        quality=made.quality,
        models=(),
        burden=made.provenance.burden,
        normalisation="spinal cord",
        started_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        focal=_focal(made),
        probabilities=tuple(_map(name) for name in ("skeleton", "organs", "canal", "disease")),
    )


def _focal(made):
    labels = np.zeros(made.labels.shape, np.uint16)
    labels[2:5, 20:24, 20:24] = 1
    grid = made.assembly.volume.geometry
    adc, settings = made.fit.adc_um2_s, MeasurementSettings()
    lesions = measure_lesions(adc, made.labels, labels, grid, settings, "F")
    model = ModelIdentity("focal", "0.2.0", "12" * 32)
    return FocalLesions(model, 0.6, lesions, labels, 1.0, 0.0)


def _map(name):
    rising = np.linspace(0, 1, np.prod(COARSE.shape), dtype=np.float32).reshape(COARSE.shape)
    model = ModelIdentity("disease" if name == "disease" else "anatomy", "1.0.0", "ab" * 32)
    return ProbabilityMap(name, probability_volume(rising, COARSE, name), model)
