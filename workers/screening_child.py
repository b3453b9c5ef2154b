"""Reads files of strangers for `workers.screening`: `python -m workers.screening_child`.

One request, a line of JSON: {"paths": [...], "memory_gib": 1.0, "cpu_s": 20}; "ready" comes back,
then one line of JSON for each file: {} or what is wrong with it. What a file does to its reader,
it does to this process only.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from dicom_objects.reading.rehearsal import find_damage, name_of
from workers.confinement import ReadingLimits, confine_reader

MEMORY = "READER_MEMORY"
_OUT_OF_MEMORY = 3


def main() -> int:
    """Read every file; end early, to be started again, where memory ran out."""
    request = json.loads(sys.stdin.readline())
    confine_reader(ReadingLimits(request["memory_gib"]))
    _say("ready")
    for name in request["paths"]:
        _allow_processor_time(request["cpu_s"])
        answer = _judge(Path(name))
        _say(json.dumps(answer))
        if answer.get("code") == MEMORY:
            return _OUT_OF_MEMORY
    return 0


def _judge(path: Path) -> dict[str, Any]:
    try:
        found = find_damage(path)
    except MemoryError:
        found = None
    else:
        return {} if found is None else {"code": found.code, "text": found.text, "name": found.name}
    text = "needs more memory to be read than an image may"
    return {"code": MEMORY, "text": text, "name": name_of(path)}


def _allow_processor_time(cpu_s: float) -> None:
    """Let the next file take so long; the system ends a process that takes more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + cpu_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
