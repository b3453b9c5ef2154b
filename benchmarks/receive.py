"""How many images a second are received: this node beside storescp, Orthanc and pynetdicom.

`python -m benchmarks.receive [--rounds 5] [--json FIGURES] [--page docs/receiving.md]`

One run, one sender, one table. Every receiver is started afresh in every round, alone, and gets
the same synthetic MR images over 1, 4 and 50 associations, and over one of DCMTK's storescu; then
100 associations say nothing.
TCP_NODELAY=1 and PDUs of 128 KiB for all. Only Osteon says that an image is stored after fsync of
file and directory; what the sender itself can do is shown by a receiver that keeps nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.front_door.association import PeerError
from benchmarks.front_door.images import make_images
from benchmarks.front_door.load import hold, send, send_files
from benchmarks.front_door.programs import RECEIVERS
from benchmarks.front_door.receivers import Place, running, unused_port
from benchmarks.receive_table import Figures, Round, as_table
from benchmarks.sizing import filled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.front_door.images import Images

LOADS = (1, 4, 50)
IDLE = 100
_WARM_UP = 20
_OF_FILES = 10**5
"""The study that storescu sends."""
_IDLE_S = 5.0
_IDLE_ROUNDS = 2
_LIMIT_S = 780.0
"""No round begins that would end later; the whole command is to take 15 minutes at most."""


def main(arguments: Sequence[str] = ()) -> None:
    """Measure in rounds, keep after each, print one table at the end."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no receiver is left behind
    images = make_images()
    rows: list[Round] = []
    with tempfile.TemporaryDirectory(prefix="osteon-receive-", dir=asked.folder) as name:
        folder = Path(name)
        files = folder / "files"
        images.write(files, _OF_FILES, asked.images)
        versions = {name: RECEIVERS[name].version() for name in asked.receivers}
        figures = Figures(_machine(folder, images), versions, rows)
        begun = longest_s = 0.0
        for number in range(asked.rounds):
            longest_s = max(longest_s, time.monotonic() - begun) if begun else 0.0
            if time.monotonic() - _STARTED + longest_s > asked.limit_s:
                print(f"{number} rounds: the time is over", file=sys.stderr)
                break
            begun = time.monotonic()
            for receiver in _turned(asked.receivers, number):
                idle = number < _IDLE_ROUNDS
                rows.append(_measure(receiver, files, images, asked.images, idle=idle))
                print(json.dumps(rows[-1].document()), file=sys.stderr, flush=True)
                _keep(asked.json, figures)
    table = as_table(figures)
    print(table)
    if asked.page:
        page = filled(asked.page.read_text("utf-8"), {"receive": table})
        asked.page.write_text(page, "utf-8")


_STARTED = time.monotonic()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.receive", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=600, help="in each load")
    parser.add_argument("--receivers", nargs="+", choices=RECEIVERS, default=list(RECEIVERS))
    parser.add_argument("--limit-s", type=float, default=_LIMIT_S)
    parser.add_argument("--json", type=Path, metavar="FIGURES", help="keep the figures there")
    parser.add_argument("--page", type=Path, help="write the table between the marks of this page")
    parser.add_argument("--folder", type=Path, help="on the disk that is to be measured")
    return parser


def _turned(names: Sequence[str], number: int) -> list[str]:
    """Begin each round with another receiver, so that none has the best place always."""
    turn = number % len(names)
    return [*names[turn:], *names[:turn]]


def _measure(name: str, files: Path, images: Images, n_images: int, *, idle: bool) -> Round:
    """Return what one receiver did in one round, as far as it came."""
    os.sync()  # what others wrote is no burden of this one
    with tempfile.TemporaryDirectory(dir=files.parent) as place:
        port = Place(unused_port(), Path(place), associations=2 * IDLE)
        row = Round(name)
        try:
            with running(RECEIVERS[name], port) as receiver:
                send(receiver, images, [images.study(0, _WARM_UP)])
                first = 1
                for load in LOADS:
                    each = -(-n_images // load)
                    studies = [images.study(first + one, each) for one in range(load)]
                    row.costs.append(send(receiver, images, studies))
                    first += load
                row.costs.append(send_files(receiver, files))
                row.peak_bytes = receiver.peak_bytes()
                if idle:
                    row.idle = hold(receiver, IDLE, _IDLE_S)
        except (PeerError, subprocess.TimeoutExpired) as error:
            row.failure = str(error)
        return row


def _machine(folder: Path, images: Images) -> dict[str, float | int | str]:
    return {
        "cores": os.cpu_count() or 1,
        "load": os.getloadavg()[0],
        "image_bytes": images.size_bytes,
        "fsync_ms": _fsync_ms(folder, bytes(images.size_bytes)),
        "measured": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def _fsync_ms(folder: Path, content: bytes, n: int = 51) -> float:
    """Return the median milliseconds that the disk takes for a new file of an image's size."""
    took = []
    for number in range(n):
        with (folder / f"probe{number}").open("wb") as file:
            file.write(content)
            begun = time.monotonic()
            os.fsync(file.fileno())
            took.append(1000.0 * (time.monotonic() - begun))
        (folder / f"probe{number}").unlink()
    return sorted(took)[n // 2]


def _keep(path: Path | None, figures: Figures) -> None:
    if path:
        path.write_text(json.dumps(figures.document(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
