"""On the path of processes that a chaos test starts; the environment says what is done to them.

CHAOS_POINTS     a folder: where it holds a file named as a fault point, the process dies there at
                 the n-th time, n being what stands in the file (`tests/chaos/points.py`)
CHAOS_QUICK      jobs measure nothing and build small objects (`tests/chaos/quick_measuring.py`)
CHAOS_WARM       a socket: jobs' processes fork from the one behind it (`tests/chaos/warm_jobs.py`)
CHAOS_NO_FSYNC   what is called fsync does nothing: the node that a power cut must catch
"""

import os
import sys

PROCESSES = {"service", "service.job_process", "tests.chaos.warm_jobs"}

if "service.job_process" in sys.orig_argv and "CHAOS_WARM" in os.environ:
    from tests.chaos.warm_jobs import hand_over

    hand_over(os.environ["CHAOS_WARM"])
elif PROCESSES & set(sys.orig_argv):
    if "CHAOS_NO_FSYNC" in os.environ:
        os.fsync = os.fdatasync = lambda _descriptor: None
    if "CHAOS_POINTS" in os.environ:
        from jobs.fault_points import arm
        from tests.chaos.points import Struck

        arm(Struck(os.environ["CHAOS_POINTS"]))
    if "CHAOS_QUICK" in os.environ:
        from tests.chaos.quick_measuring import measure_quickly

        measure_quickly(sys.orig_argv)
