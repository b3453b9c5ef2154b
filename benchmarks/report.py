"""What the report adds to a study: processor seconds of one core, and bytes for the PACS.

The body is a painted one of full size with heavy disease; what it shows means nothing.
`python -m benchmarks.report FOLDER` takes instead what `osteon run` left there, to weigh
compression on a real turn.
"""

from __future__ import annotations

import copy
import dataclasses
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from pydicom import dcmread
from pydicom.uid import JPEGLSLossless, RLELossless

from benchmarks.timing import rounds_of
from imaging.geometry import Geometry
from report.content import ReportImages
from report.mip import stand
from report.mip_series import mip_series, prior_series
from report.rotation import rotating
from report.sprite import sprite

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom import Dataset

_SHAPE = (200, 250, 350)
_SPACING_MM = (5.0, 1.6, 1.6)
_THRESHOLDS_UM2_S = (900.0, 1400.0)
_ROUNDS = 3


def main(folders: tuple[str, ...] = ()) -> None:
    """Print the seconds and the sizes; of a folder, the sizes only."""
    for folder in folders:
        _sizes({p.stem: dcmread(p) for p in sorted(Path(folder).glob("mip*.dcm"))})
        return
    images = _body()
    turned = mip_series(images, _THRESHOLDS_UM2_S)
    followed = dataclasses.replace(images, prior=_body())
    runs = {
        "turning, 120 frames": lambda: list(rotating(stand(images, _THRESHOLDS_UM2_S))),
        "turning and drawing both series": lambda: mip_series(images, _THRESHOLDS_UM2_S),
        "half of both for the console": lambda: [sprite(turned.plain), sprite(turned.overlay)],
        "half a turn of an earlier study": lambda: prior_series(followed, _THRESHOLDS_UM2_S),
    }
    print(f"rotating projections of {' x '.join(map(str, _SHAPE))} voxels, processor seconds")
    for name, rounds in rounds_of(runs, _ROUNDS).items():
        print(f"  {name:32s} {median(r.cpu_s for r in rounds):6.1f}")
    for name, frames in (("plain", turned.plain), ("overlay", turned.overlay)):
        print(f"  {name:12s} {'x'.join(map(str, frames.shape)):18s} {frames.nbytes / 1e6:6.1f} MB")
        print(f"  {name:12s} {'half a turn, WebP':18s} {len(sprite(frames)) / 1e6:6.1f} MB")


def _body() -> ReportImages:
    """Paint noise, an elliptic body with speckle, and 600 mL of disease."""
    dice = np.random.default_rng(1)
    rows, columns = np.ogrid[: _SHAPE[1], : _SHAPE[2]]
    inside = ((rows - 125) / 75) ** 2 + ((columns - 175) / 130) ** 2 < 1
    signal = dice.normal(5.0, 1.0, _SHAPE).astype(np.float32)
    speckle: NDArray[np.float64] = dice.gamma(3.0, 20.0, (_SHAPE[0], int(inside.sum())))
    signal[:, inside] += speckle.astype(np.float32)
    disease = np.zeros(_SHAPE, np.bool_)
    disease[50:120, 120:146, 160:186] = True
    adc = dice.normal(1000.0, 300.0, _SHAPE).astype(np.float32)
    return ReportImages(Geometry.axial(_SHAPE, _SPACING_MM, (0, 0, 0)), signal, adc, disease)


def _sizes(objects: dict[str, Dataset]) -> None:
    print(f"{'MB':14s} {'as sent':>8s} {'RLE':>8s} {'JPEG-LS':>8s}")
    for name, dataset in objects.items():
        sizes = [len(dataset.PixelData)]
        for syntax, plugin in ((RLELossless, "gdcm"), (JPEGLSLossless, "pyjpegls")):
            packed = copy.deepcopy(dataset)
            packed.compress(syntax, encoding_plugin=plugin, generate_instance_uid=False)
            sizes.append(len(packed.PixelData))
        print(f"{name:14s} " + " ".join(f"{size / 1e6:8.1f}" for size in sizes))


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
