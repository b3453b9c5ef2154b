"""What it costs to read every file of a study in a child first: `python -m benchmarks.screening`.

A synthetic whole-body study is screened as a job does it (docs/parsing.md), uncompressed and as
JPEG 2000, which a decoder has to read: seconds by the clock and of the processor, and the largest
memory of a reader; beside them the reading that follows in the job.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import warnings
from pathlib import Path

from pydicom import dcmread
from pydicom.pixels.utils import compress
from pydicom.uid import JPEG2000Lossless

from dicom_objects.reading.diffusion import read_study
from service.synthetic import PhantomOrder, make_study
from workers.screening import Screening


def measure(name: str, files: tuple[Path, ...]) -> None:
    """Print a line of the table."""
    size_mib = sum(path.stat().st_size for path in files) / 2**20
    begun, used = time.perf_counter(), _child_cpu_s()
    screened = Screening()(files)
    wall_s, cpu_s = time.perf_counter() - begun, _child_cpu_s() - used
    begun = time.perf_counter()
    read_study(screened.sound)
    read_s = time.perf_counter() - begun
    peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    cells = (name, len(files), f"{size_mib:.0f}", f"{wall_s:.1f}", f"{cpu_s:.1f}")
    print("|", " | ".join(map(str, (*cells, f"{peak_mib:.0f}", f"{read_s:.1f}"))), "|")


def compressed(files: tuple[Path, ...], folder: Path) -> tuple[Path, ...]:
    """Write the same images as JPEG 2000 without loss."""
    folder.mkdir()
    for number, path in enumerate(files):
        data_set = dcmread(path)
        compress(data_set, JPEG2000Lossless, generate_instance_uid=False)
        data_set.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    return tuple(sorted(folder.iterdir()))


def _child_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--small", action="store_true", help="coarse pixels")
    given = asked.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        study = make_study(PhantomOrder(1, small=given.small), Path(name))
        print("| study | images | MiB | screening, s | processor, s | reader, MiB | reading, s |")
        print("|---|---|---|---|---|---|---|")
        measure("uncompressed", study.files)
        measure("JPEG 2000", compressed(study.files, Path(name) / "compressed"))


if __name__ == "__main__":
    main()
