"""Reads headers for `workers.content`: `python -m workers.content_child`, a JSON line a look."""

from __future__ import annotations

import json
import os
import sys
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicom_objects.reading.completeness import WholeBody, judge_completeness
from dicom_objects.reading.headers import read_headers
from dicom_objects.reading.limits import FitLimits
from workers.confinement import ReadingLimits, confine_reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicom_objects.reading.frames import Frame

_MEMORY_GIB = 2.0
_NICE = 10
_STUDIES = 4


class Headers:
    """The headers of the studies that were looked at last; each file is read once."""

    def __init__(self, studies: int = _STUDIES) -> None:
        """Keep the headers of so many studies."""
        self._studies = studies
        self._read: OrderedDict[str, dict[Path, list[Frame]]] = OrderedDict()

    def frames(self, study_uid: str, paths: Sequence[Path]) -> tuple[Frame, ...]:
        """Return the frames of the files; what is not readable has none."""
        known = self._read.setdefault(study_uid, {})
        self._read.move_to_end(study_uid)
        while len(self._read) > self._studies:
            self._read.popitem(last=False)
        unread = [path for path in paths if path not in known]
        frames, _ = read_headers(unread)
        known.update({path: [] for path in unread})
        for frame in frames:
            known[frame.path].append(frame)
        return tuple(frame for path in paths for frame in known[path])


def main() -> int:
    """Answer looks until standard input ends; dies with the node."""
    confine_reader(ReadingLimits(_MEMORY_GIB))
    os.nice(_NICE)
    headers = Headers()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(headers, json.loads(line))) + "\n")
        sys.stdout.flush()
    return 0


def answer(headers: Headers, request: dict[str, Any]) -> dict[str, Any]:
    """Return the verdict on one content, as `dicom_node.content.Verdict` has it."""
    frames = headers.frames(request["study_uid"], [Path(p) for p in request["paths"]])
    late = frozenset(Path(p) for p in request["late"])
    given = request["expected"]
    expected = WholeBody(**given | {"limits": FitLimits(**given["limits"])})
    found = judge_completeness(frames, expected, late)
    return {"whole": found.complete, "sentence": found.sentence}


if __name__ == "__main__":
    sys.exit(main())
