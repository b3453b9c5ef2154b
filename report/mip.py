"""Maximum intensity projections of the high-b signal, with the ADC class of the disease.

Inverted grey scale as the WB-DWI guidelines show it (10.1186/s40644-020-00315-0, table 2): signal
is dark. Head up; coronal from the front, so the patient's right is on the viewer's left; sagittal
from the patient's left, so the front is on the viewer's left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from report.adc_classes import DEFAULT_THRESHOLDS_UM2_S, classify
from report.orientation import orientation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from report.content import ReportImages

_FAINT = 0.05
"""Air and fat: a projected signal below this share of the projection's 99th percentile."""
_ABOVE_AIR = 1.35
"""The largest of a ray's noise varies by about a quarter of itself, so air stays below this times
its level. More than a tenth of a projection is air: beside the head, the neck and the legs."""


class View(StrEnum):
    """From where the body is seen."""

    CORONAL = "coronal"
    SAGITTAL = "sagittal"


_DEPTH_AXIS = {View.CORONAL: 1, View.SAGITTAL: 2}


@dataclass(frozen=True, eq=False)
class Projection:
    """One projection, (row, column) with the head in the first row."""

    signal: NDArray[np.float32] = field(repr=False)
    """The largest signal on the ray, arbitrary unit."""
    classes: NDArray[np.uint8] = field(repr=False)
    """The class (1 low, 2 intermediate, 3 high) of the mean ADC of the ray's disease, else 0."""
    pixel_mm: tuple[float, float]
    """Distance between pixels along (row, column)."""

    def crop(self, rows: slice, columns: slice) -> Projection:
        """Cut out a rectangle."""
        return Projection(self.signal[rows, columns], self.classes[rows, columns], self.pixel_mm)


@dataclass(frozen=True)
class Window:
    """Signal shown white (`low` and below) and black (`high` and above)."""

    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Body:
    """The images as they stand: slices to the head, rows to the back, columns to the left."""

    signal: NDArray[np.float32] = field(repr=False)
    adc_um2_s: NDArray[np.float32] = field(repr=False)
    """ADC of the disease in µm²/s, NaN elsewhere."""
    spacing_mm: tuple[float, float, float]
    thresholds_um2_s: tuple[float, float] = DEFAULT_THRESHOLDS_UM2_S


# One run's pictures, page and turn show the same bodies from the same sides: each is made once.
@lru_cache(maxsize=2)
def stand(
    images: ReportImages, thresholds_um2_s: tuple[float, float] = DEFAULT_THRESHOLDS_UM2_S
) -> Body:
    """Turn the images so that they can be projected, whatever way their grid runs.

    The last two are kept: images are values, nobody changes their arrays.
    """
    turned = orientation(images.geometry)
    adc = np.where(images.disease, images.adc_um2_s, np.float32(np.nan))
    return Body(turned.apply(images.high_b), turned.apply(adc), turned.spacing_mm, thresholds_um2_s)


@lru_cache(maxsize=4)
def project(body: Body, view: View) -> Projection:
    """Project along the view's depth: parallel rays, no resampling. The last four are kept."""
    depth = _DEPTH_AXIS[view]
    valid = ~np.isnan(body.adc_um2_s)
    n_valid = valid.sum(axis=depth)
    total = np.where(valid, body.adc_um2_s, 0.0).sum(axis=depth, dtype=np.float64)
    mean_adc = np.where(n_valid > 0, total / np.maximum(n_valid, 1), np.nan)
    across_mm = body.spacing_mm[2 if view is View.CORONAL else 1]
    return Projection(
        body.signal.max(axis=depth)[::-1].astype(np.float32),
        classify(mean_adc, body.thresholds_um2_s)[::-1],
        (body.spacing_mm[0], across_mm),
    )


def find_window(projection: Projection) -> Window:
    """Choose a window from percentiles inside the body, so that one hot organ cannot spoil it.

    White is the 5th percentile of the projected body, black its 95th: the brain, a few percent of
    it, may saturate so that spleen, cord and lesions are dark.
    """
    inside = projection.signal[foreground(projection)]
    if inside.size == 0:
        return Window(0.0, 1.0)
    low, high = np.percentile(inside, [5.0, 95.0])
    return Window(float(low), float(max(high, low + 1e-6)))


def foreground(projection: Projection) -> NDArray[np.bool_]:
    """Pixels of the body: a bool array of the projection's shape."""
    air, ceiling = np.percentile(projection.signal, [10.0, 99.0])
    limit = max(_FAINT * ceiling, min(_ABOVE_AIR * air, 0.5 * ceiling))
    inside: NDArray[np.bool_] = projection.signal > limit
    return inside


def crop_to_body(projection: Projection, margin_mm: float = 12.0) -> Projection:
    """Cut the empty sides away, keeping `margin_mm` around the body and the whole length."""
    columns = np.flatnonzero(foreground(projection).mean(axis=0) > 0.02)
    if columns.size == 0:
        return projection
    margin = round(margin_mm / projection.pixel_mm[1])
    start = max(int(columns[0]) - margin, 0)
    return projection.crop(slice(None), slice(start, int(columns[-1]) + margin + 1))
