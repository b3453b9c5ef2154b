"""A picture of the phantom's body models side by side: `python -m benchmarks.bodies OUT.png`.

A row is a person: high-b projection and a coronal slice at low b as scanned, then the true bones
and organs from the front and the bones from the left.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imaging.anatomy import BONES, ORGANS, SPINAL_CANAL
from imaging.stations import assemble
from phantom.acquisition import acquire
from phantom.patient import BodyModelName, PatientOptions, make_patient
from phantom.picture import coronal_mip

Picture = NDArray[np.uint8]

PERSONS = (
    (BodyModelName.BEADED, 1003), (BodyModelName.BEADED, 1),
    (BodyModelName.CONTOURED, 1), (BodyModelName.CONTOURED, 6), (BodyModelName.CONTOURED, 11),
)  # fmt: skip
HEIGHT, WIDTH = 480, 224


def main(out: str) -> None:
    """Scan the persons and write the picture."""
    rows = [_person(model, seed) for model, seed in PERSONS]
    widest = max(row.shape[1] for row in rows)
    rows = [np.pad(row, ((0, 6), (0, widest - row.shape[1]), (0, 0))) for row in rows]
    Image.fromarray(np.concatenate(rows)).quantize(128).save(out, optimize=True)


def _person(model: BodyModelName, seed: int) -> Picture:
    scan = acquire(make_patient(seed, PatientOptions(body_model=model)))
    volume, truth = assemble(scan.stations).volume, scan.truth
    dz, dy, dx = truth.geometry.spacing_mm
    projection = coronal_mip(volume.high_b, volume.geometry)
    spine = np.argwhere(truth.labels == SPINAL_CANAL.label)[:, 1].mean()
    low = volume.images[min(volume.images)][::-1, round(spine) - 5]
    slice_ = (255 * np.clip(low / np.percentile(low, 99), 0, 1)).astype(np.uint8)
    bones = np.where(np.isin(truth.labels, [s.label for s in BONES]), truth.labels, 0)
    organs = [s.label for s in (*ORGANS, SPINAL_CANAL)]
    inside = np.where(np.isin(truth.labels, organs), truth.labels, 0)
    panels = [
        _panel(_grey(projection), 1.0),
        _panel(_grey(slice_), dz / dx),
        *(_panel(_seen(labels, 1), dz / dx) for labels in (bones, inside)),
        _panel(_seen(bones[:, :, ::-1], 2), dz / dy),
    ]
    return np.concatenate(panels, axis=1)


def _grey(image: Picture) -> Picture:
    return np.repeat(image[..., None], 3, axis=2)


def _seen(labels: Picture, axis: int) -> Picture:
    """Colour what comes first along an axis, darker the deeper it lies."""
    mask = labels > 0
    depth = mask.argmax(axis=axis)
    first = np.take_along_axis(labels, np.expand_dims(depth, axis), axis).squeeze(axis)
    shade = 1.15 - 0.9 * depth / labels.shape[axis]
    colours = np.random.default_rng(12).integers(90, 256, (256, 3))
    colours[0] = 0
    return np.clip(colours[first] * shade[..., None], 0, 255).astype(np.uint8)[::-1]


def _panel(image: Picture, aspect: float) -> Picture:
    """Scale to the panel's height with square pixels, centred."""
    height = round(image.shape[0] * aspect)
    width = round(image.shape[1] * HEIGHT / height)
    scaled = np.asarray(Image.fromarray(image).resize((width, HEIGHT), Image.Resampling.BILINEAR))
    left = max(0, (width - WIDTH) // 2)
    cut = scaled[:, left : left + WIDTH]
    pad = WIDTH - cut.shape[1]
    return np.pad(cut, ((0, 0), (pad // 2, pad - pad // 2 + 4), (0, 0)))


if __name__ == "__main__":
    main(sys.argv[1])
