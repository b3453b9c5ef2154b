"""Follow one study through the service by its REST interface."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from service.demonstration.system import DemonstrationError, ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.demonstration.stand_in import StandInPacs
    from service.demonstration.system import Place

_LOOK_S = 0.2
_ACTIVE = frozenset({"queued", "running"})
_JOB_S = 1800.0
_ARRIVE_S = 30.0


def follow(place: Place, on_stage: Callable[[str, float, bool], None]) -> dict[str, Any]:
    """Wait until the demonstration's one job ends; return its document.

    Args:
        place: where the service runs.
        on_stage: told (stage, fraction done, whether finished) of each change.

    Raises:
        DemonstrationError: there is no job, or it did not end delivered.

    """
    deadline = time.monotonic() + _JOB_S
    finished: set[str] = set()
    while time.monotonic() < deadline:
        jobs: list[dict[str, Any]] = ask(place, "/api/v1/jobs?limit=1")[1]["items"]
        if jobs:
            job: dict[str, Any] = ask(place, f"/api/v1/jobs/{jobs[0]['id']}")[1]
            for stage in job["stage_seconds"]:
                if stage not in finished:
                    finished.add(stage)
                    on_stage(stage, 1.0, True)
            if job["state"] not in _ACTIVE:
                return _delivered(job)
            if job["stage"] is not None and job["stage"] not in finished:
                on_stage(job["stage"], job["progress"], False)
        time.sleep(_LOOK_S)
    message = f"the job did not end within {_JOB_S:.0f} s"
    raise DemonstrationError(message)


def wait_for_results(job: dict[str, Any], pacs: StandInPacs) -> None:
    """Wait until the stand-in PACS has every DICOM result of the job.

    Raises:
        DemonstrationError: one is missing; the message says how many.

    """
    expected = {r["sop_instance_uid"] for r in job["results"] if r["sop_instance_uid"]}
    kinds = {r["kind"] for r in job["results"]}
    deadline = time.monotonic() + _ARRIVE_S
    while expected - pacs.received() and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    missing = len(expected - pacs.received())
    if missing or not {"seg", "sr"} <= kinds:
        message = f"{missing} of {len(expected)} results are missing at the stand-in PACS"
        raise DemonstrationError(message)


def _delivered(job: dict[str, Any]) -> dict[str, Any]:
    if job["state"] == "delivered":
        return job
    failure = job["failure"] or {"message": "no reason is recorded", "code": "UNKNOWN"}
    message = f"the job is {job['state']}: {failure['message']} [{failure['code']}]"
    raise DemonstrationError(message)
