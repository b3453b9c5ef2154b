"""The process that runs one job: `python -m workers.child`, told what to do on standard input.

It is spawned, never forked, so torch starts clean; it may be killed at any moment. What it holds
is a claimed job: every write carries the fence, so a child that outlived its lease writes nothing.
"""

from __future__ import annotations

import functools
import logging
import sys
from typing import TYPE_CHECKING, Any

from jobs.errors import LeaseLost
from jobs.store import JobStore
from workers.configuration import Assignment
from workers.confinement import confine
from workers.processing import Processing
from workers.screening import Screening
from workers.system_calls import forbid_new_processes
from workers.vitals import Telling, to_parent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from imaging.follow_up import FollowUpSettings
    from workers.configuration import WorkerConfiguration
    from workers.pipeline import Pipeline
    from workers.screening import Screened
    from workers.vitals import Tell

_LOG = logging.getLogger(__name__)
_PATIENCE_S = 300.0  # a database that is restarted costs a moment, not the work of minutes


def main() -> int:
    """Run the job that standard input names; 0 when its fate is written down."""
    return run(Assignment.from_json(sys.stdin.readline()))


def run(assignment: Assignment, tell: Tell = to_parent) -> int:
    """Process one claimed job within its limits; `tell` hears how it goes."""
    configuration = assignment.configuration
    confine(configuration.memory_gib)
    store = JobStore(configuration.store_url, patience_s=_PATIENCE_S)
    try:
        job = store.job(assignment.job_id)
        if job.fence != assignment.fence:
            text = "the job changed hands before its child started"
            _LOG.warning(text, extra={"event": "lease_lost", "code": LeaseLost.code})
            return 0
        telling = Telling(tell, job.id if configuration.traced else None)
        pipeline = functools.partial(load_pipeline, configuration, job.study_uid, telling)
        Processing(store, configuration, pipeline, tell, screen_alone).process(job)
    finally:
        store.close()
    return 0


def screen_alone(paths: Sequence[Path]) -> Screened:
    """Screen the files of the study, then start no process any more: nothing later needs one."""
    screened = Screening()(paths)
    forbid_new_processes()
    return screened


def load_pipeline(
    configuration: WorkerConfiguration,
    study_uid: str | None = None,
    telling: Telling | None = None,
) -> Pipeline:
    """Open the models and put the path together; torch is imported here and not before.

    `study_uid` decides whether a version on trial measures this study; none does if not given.
    """
    from dicom_objects.reading.limits import FitLimits  # noqa: PLC0415
    from imaging.adc import AdcSettings  # noqa: PLC0415
    from imaging.disease import DiseaseRule  # noqa: PLC0415
    from imaging.measurement import MeasurementSettings  # noqa: PLC0415
    from imaging.normalisation import NormalisationRule  # noqa: PLC0415
    from workers.inference.opening import ModelOpener  # noqa: PLC0415
    from workers.pipeline import Pipeline  # noqa: PLC0415

    models = ModelOpener(
        configuration.model_server, configuration.threads, study_uid, telling or Telling()
    )
    disease, focal = configuration.disease_model, configuration.focal_model
    given: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in configuration.disease.items()
    }
    rule = DiseaseRule(**given)
    return Pipeline(
        anatomy=models.watched(configuration.anatomy_model),
        disease=models.watched(disease) if disease else None,
        focal=models.watched(focal) if focal else None,
        rule=rule,
        limits=FitLimits(**configuration.reading),
        measurement=MeasurementSettings(thresholds_um2_s=configuration.thresholds_um2_s),
        adc=AdcSettings(**configuration.adc),
        normalisation=NormalisationRule(**configuration.normalisation),
        comparison=follow_up_settings(configuration.follow_up),
    )


def follow_up_settings(given: dict[str, Any]) -> FollowUpSettings:
    """Return what `WorkerConfiguration.follow_up` says, the rest by default."""
    from imaging.follow_up import FollowUpSettings  # noqa: PLC0415
    from imaging.follow_up_registration import FollowUpRegistration  # noqa: PLC0415
    from imaging.lesion_following import FollowRule  # noqa: PLC0415
    from imaging.response_limits import ResponseLimits  # noqa: PLC0415

    limits: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    usual = FollowUpSettings()
    against = limits.pop("against", usual.against)
    dice = limits.pop("smallest_dice", usual.rule.registration.smallest_dice)
    diffuse = limits.pop("diffuse_burden", usual.rule.diffuse_burden)
    rule = FollowRule(FollowUpRegistration(smallest_dice=dice), diffuse_burden=diffuse)
    return FollowUpSettings(ResponseLimits(**limits), against, rule)


if __name__ == "__main__":
    sys.exit(main())
