"""The child process of the worker, with this service's logs: `python -m service.job_process`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from service import logs
from workers import child
from workers.configuration import Assignment
from workers.vitals import StageBegun, to_parent

if TYPE_CHECKING:
    from workers.vitals import RunVital


def main() -> int:
    """Read the assignment from standard input, bind the job's id to every log line, run it."""
    assignment = Assignment.from_json(sys.stdin.readline())
    logs.configure("job", assignment.configuration.log_level)
    with logs.bound_job(assignment.job_id):
        return child.run(assignment, _tell)


def _tell(vital: RunVital) -> None:
    """Tell the worker; the log lines of a stage name it."""
    if isinstance(vital, StageBegun):
        logs.bind_stage(vital.stage)
    to_parent(vital)


if __name__ == "__main__":
    sys.exit(main())
