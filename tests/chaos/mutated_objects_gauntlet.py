"""Sends damaged objects through what receives, what screens and what reads, and counts.

    python -m tests.chaos.mutated_objects_gauntlet --objects 100000 --seed 1

prints what became of them and what it cost (docs/parsing.md).
"""

import argparse
import json
import resource
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from dicom_node.errors import DicomNodeError
from dicom_node.header import read_header
from dicom_node.part10 import parse_meta
from dicom_objects.errors import NoUsableDiffusion
from dicom_objects.reading.diffusion import read_study
from dicom_objects.reading.examination import read_examination
from dicom_objects.reading.identity import study_identity
from dicom_objects.reading.records import SourceImage
from dicom_objects.reading.study_texts import read_study_texts
from dicom_objects.writing.source_images import read_headers_of, read_references
from tests.chaos.mutated_objects import mutants
from workers.screening import Screened, Screening

BATCH = 500
CANARY = "CANARY"


def _largest_child_mib() -> int:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


@dataclass
class Gauntlet:
    """What became of objects so far."""

    folder: Path
    fates: Counter[str] = field(default_factory=Counter)
    """ "left out: CODE", "rejected: CODE", "refused at the door" and "measurable"."""
    faults: list[str] = field(default_factory=list)
    """What must not happen: an error that nobody expects, a reason without words, a patient's."""
    largest_reader_mib: int = 0
    """0 while no reader was larger than the largest child that this process had before."""
    longest_batch_cpu_s: float = 0.0
    largest_before_mib: int = field(default_factory=_largest_child_mib)

    def send(self, objects: Iterable[tuple[str, bytes]]) -> None:
        """Send one batch."""
        files = {}
        for name, data in objects:
            self._receive(name, data)
            path = self.folder / f"{len(files)}.dcm"
            path.write_bytes(data)
            files[path] = name
        begun_s = _children_cpu_s()
        screened = self._screen(tuple(files))
        self.longest_batch_cpu_s = max(self.longest_batch_cpu_s, _children_cpu_s() - begun_s)
        peak_mib = _largest_child_mib()
        if peak_mib > self.largest_before_mib:
            self.largest_reader_mib = max(self.largest_reader_mib, peak_mib)
        for image in screened.damaged:
            self.fates[f"left out: {image.code}"] += 1
            if not (image.code and image.text and image.name) or CANARY in repr(image):
                self.faults.append(f"{files[image.path]}: {image.code} without a good reason")
        for path in screened.sound:
            self._read(files[path], path)

    def _receive(self, name: str, data: bytes) -> None:
        try:
            meta = parse_meta(data)
            read_header(data[meta.offset :], meta.transfer_syntax_uid)
        except DicomNodeError:
            self.fates["refused at the door"] += 1
        except Exception as error:  # noqa: BLE001 - any other is a finding
            self.faults.append(f"{name}: the door raised {error!r}")

    def _screen(self, paths: Sequence[Path]) -> Screened:
        """Screen a batch; where three ended their reader, each half alone."""
        try:
            return Screening()(paths)
        except NoUsableDiffusion:
            if len(paths) == 1:
                raise
            half = len(paths) // 2
            first, second = self._screen(paths[:half]), self._screen(paths[half:])
            return Screened(first.sound + second.sound, first.damaged + second.damaged)

    def _read(self, name: str, path: Path) -> None:
        """Read what was let through as a job does; only a reason may come of it."""
        try:
            read_study([path])
            self.fates["measurable"] += 1
        except NoUsableDiffusion as error:
            self.fates[f"rejected: {error.code}"] += 1
            if not error.code or not str(error) or CANARY in str(error):
                self.faults.append(f"{name}: {error.code} without a good reason")
        except Exception as error:  # noqa: BLE001 - any other is a finding
            self.faults.append(f"{name}: reading raised {error!r}")
        try:
            if self._is_dicom(path):
                self._read_for_results(path)
        except Exception as error:  # noqa: BLE001 - any other is a finding
            self.faults.append(f"{name}: reading for the results raised {error!r}")

    @staticmethod
    def _is_dicom(path: Path) -> bool:
        return path.read_bytes()[128:132] == b"DICM"

    @staticmethod
    def _read_for_results(path: Path) -> None:
        read_examination([path], b"secret")
        study_identity([path])
        read_study_texts(path)
        read_headers_of([SourceImage(path)])
        read_references([SourceImage(path)])


def batches(objects: Iterator[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Yield the objects in lists of `BATCH`."""
    while batch := list(islice(objects, BATCH)):
        yield batch


def own_mib() -> float:
    """Return how much memory this process has in use, MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print what became of so many mutants as JSON."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--objects", type=int, default=100_000)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    warnings.simplefilter("ignore")
    begun_s, sizes = time.monotonic(), []
    with tempfile.TemporaryDirectory() as folder:
        gauntlet = Gauntlet(Path(folder))
        for batch in batches(mutants(given.seed, given.objects)):
            gauntlet.send(batch)
            sizes.append(own_mib())
    told = {
        "objects": given.objects,
        "seed": given.seed,
        "fates": dict(gauntlet.fates.most_common()),
        "faults": gauntlet.faults[:50],
        "n_faults": len(gauntlet.faults),
        "largest_reader_mib": gauntlet.largest_reader_mib,
        "longest_batch_cpu_s": round(gauntlet.longest_batch_cpu_s, 2),
        "own_mib_after_first_batches": round(sizes[min(4, len(sizes) - 1)], 1),
        "own_mib_at_the_end": round(sizes[-1], 1),
        "seconds": round(time.monotonic() - begun_s, 1),
    }
    print(json.dumps(told, indent=2))  # noqa: T201 - the command's answer


if __name__ == "__main__":
    main()
