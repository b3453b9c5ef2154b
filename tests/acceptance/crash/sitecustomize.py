"""On the path of a job's process: its worker is killed as each stage begins, once a stage.

A job bears two such deaths and no more: at the third attempt it has to succeed. At its first the
job's process survives its worker for a moment, at its second both are killed at once.
"""

import os
import signal
import sys
import time
from pathlib import Path

DEATHS_A_JOB = 2

if "service.job_process" in sys.orig_argv:
    from workers import recording

    entered = recording.StoreRecorder.entered
    folder = Path(os.environ["CRASH_FOLDER"])

    def entered_and_killed(recorder, stage):
        entered(recorder, stage)
        deaths = len(list(folder.glob(f"*.{recorder._job.id}")))
        if deaths >= DEATHS_A_JOB:
            return
        try:
            (folder / f"{stage}").touch(exist_ok=False)
        except FileExistsError:
            return
        (folder / f"{stage}.{recorder._job.id}").touch()
        if deaths:
            os.killpg(os.getpgid(0), signal.SIGKILL)  # this process too
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60.0)  # this process dies with its worker

    recording.StoreRecorder.entered = entered_and_killed
