"""The child process of the worker, with this service's logs: `python -m service.job_process`."""

from __future__ import annotations

import sys

from service import logs
from workers import child
from workers.configuration import Assignment


def main() -> int:
    """Read the assignment from standard input, bind the job's id to every log line, run it."""
    assignment = Assignment.from_json(sys.stdin.readline())
    logs.configure("job", assignment.configuration.log_level)
    with logs.bound_job(assignment.job_id):
        return child.run(assignment)


if __name__ == "__main__":
    sys.exit(main())
