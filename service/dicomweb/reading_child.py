"""Reads objects for `service.dicomweb.reading`: `python -m service.dicomweb.reading_child`.

One request a line of JSON, `{"do": ..., "items": [[path, argument], ...]}`; one line of JSON comes
back for each item, after one that says that it has started. What an object does to this process,
it does to this process only.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicom_objects.served.errors import ServingError
from dicom_objects.served.explicit_vr import in_explicit_vr
from dicom_objects.served.frame_places import find_frames
from dicom_objects.served.headers import read_attributes, read_metadata, read_value
from workers.confinement import ReadingLimits, confine_reader

if TYPE_CHECKING:
    from collections.abc import Callable

_MEMORY_GIB = 2.0
_NICE = 5


def main() -> int:
    """Answer until standard input ends; dies with the web server."""
    confine_reader(ReadingLimits(_MEMORY_GIB))
    os.nice(_NICE)
    warnings.simplefilter("ignore")  # of pydicom, on what is odd in an object
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        request = json.loads(line)
        do = DO[request["do"]]
        for path, argument in request["items"]:
            sys.stdout.write(json.dumps(_answer(do, Path(path), argument)) + "\n")
            sys.stdout.flush()
    return 0


def _answer(do: Callable[[Path, Any], Any], path: Path, argument: Any) -> Any:  # noqa: ANN401
    try:
        return do(path, argument)
    except ServingError as error:
        return {"error": error.code, "text": str(error)}
    except OSError:
        return {"error": "GONE", "text": "the file of this object is not there any more"}


def _value(path: Path, steps: list[str]) -> dict[str, str]:
    return {"value": base64.b64encode(read_value(path, steps)).decode("ascii")}


def _frames(path: Path, _: None) -> dict[str, Any]:
    return dataclasses.asdict(find_frames(path))


def _explicit(path: Path, _: None) -> dict[str, Any]:
    made = dataclasses.asdict(in_explicit_vr(path))
    for name in ("before", "after"):
        made[name] = base64.b64encode(made[name]).decode("ascii")
    return made


DO: dict[str, Callable[[Path, Any], Any]] = {
    "attributes": read_attributes,
    "metadata": read_metadata,
    "value": _value,
    "frames": _frames,
    "explicit": _explicit,
}


if __name__ == "__main__":
    sys.exit(main())
