"""What the NIfTI volumes of a run cost: megabytes, and processor seconds of one core to write.

`python -m benchmarks.volumes FOLDER` takes what `osteon run` left in FOLDER. Deflate is timed at
several levels on the very bytes of each file; "written" is all that a worker does for a file.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK

from imaging.geometry import Geometry
from imaging.volume_file import VolumeFile, write_volume

LEVELS = (1, 3, 6)


class Cost(NamedTuple):
    """Of one file at one level, or of writing it."""

    megabytes: float
    seconds: float


def main(folder: str) -> None:
    """Print a row a file and one for all."""
    rows = [(path.name, *_row(path)) for path in sorted(Path(folder).glob("*.nii.gz"))]
    if not rows:
        print(f"{folder} holds no .nii.gz: run `osteon run STUDY -o {folder}` first")
        raise SystemExit(1)
    heads = "".join(f"{f'level {level}':>16s}" for level in LEVELS)
    print(f"{'MB, processor s':30s}{'as it is':>10s}{heads}{'written':>16s}")
    for name, raw, costs in [*rows, _sum(rows)]:
        print(
            f"{name:30s}{raw:10.1f}"
            + "".join(f"{c.megabytes:9.1f} {c.seconds:6.2f}" for c in costs)
        )


def _row(path: Path) -> tuple[float, list[Cost]]:
    raw = gzip.decompress(path.read_bytes())
    return len(raw) / 1e6, [*(_deflated(raw, level) for level in LEVELS), _written(path)]


def _deflated(raw: bytes, level: int) -> Cost:
    started = time.process_time()
    packed = zlib.compress(raw, level)
    return Cost(len(packed) / 1e6, time.process_time() - started)


def _written(path: Path) -> Cost:
    """Write the stored numbers again, from the array on."""
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    slope = float(reader.GetMetaData("scl_slope"))
    image = reader.Execute()
    stored = SimpleITK.GetArrayFromImage(image)
    if slope != 1.0:  # ITK has multiplied by it
        stored = np.rint(stored / slope)
        stored = stored.astype(np.uint8 if stored.max() <= np.iinfo(np.uint8).max else np.int16)
    grid = Geometry.axial(stored.shape, image.GetSpacing()[::-1], image.GetOrigin())
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / path.name
        started = time.process_time()
        write_volume(VolumeFile(stored, grid, "", slope), target)
        seconds = time.process_time() - started
        return Cost(target.stat().st_size / 1e6, seconds)


def _sum(rows: list[tuple[str, float, list[Cost]]]) -> tuple[str, float, list[Cost]]:
    together = zip(*(costs for _, _, costs in rows), strict=True)
    costs = [Cost(*map(sum, zip(*column, strict=True))) for column in together]
    return "all", sum(raw for _, raw, _ in rows), costs


if __name__ == "__main__":
    main(*sys.argv[1:])
