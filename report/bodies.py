"""The projections that stand beside each other: one window, one scale, the prior too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from report.mip import View, crop_to_body, find_window, project, stand
from report.mip_image import draw, mark, size_px

if TYPE_CHECKING:
    from PIL import Image

    from report.content import ReportImages
    from report.mip import Projection, Window


@dataclass(frozen=True, eq=False)
class Bodies:
    """Both views of one study, cropped to the body, and the window that shows them."""

    projections: dict[View, Projection]
    window: Window
    prior: Projection | None = field(default=None, repr=False)
    """The coronal view of the earlier study, in the same unit of signal."""

    @property
    def height_mm(self) -> float:
        """Of the longer view."""
        return max(float(p.signal.shape[0] * p.pixel_mm[0]) for p in self.projections.values())

    def width_mm(self, view: View) -> float:
        """Of one view."""
        projection = self.projections[view]
        return float(projection.signal.shape[1] * projection.pixel_mm[1])

    def picture(self, view: View, px_per_mm: float, *, overlay: bool) -> Image.Image:
        """Return one view as a marked picture, its disease in colour if asked."""
        return self._drawn(self.projections[view], view, px_per_mm, overlay=overlay)

    def prior_picture(self, px_per_mm: float) -> Image.Image | None:
        """Return the earlier study at the same scale and window; None where there is none."""
        if self.prior is None:
            return None
        return self._drawn(self.prior, View.CORONAL, px_per_mm, overlay=True)

    def _drawn(
        self, projection: Projection, view: View, px_per_mm: float, *, overlay: bool
    ) -> Image.Image:
        size = size_px(projection, px_per_mm)
        return mark(draw(projection, self.window, size, overlay=overlay), view)


def stand_beside(images: ReportImages, thresholds_um2_s: tuple[float, float]) -> Bodies:
    """Project the study, and the earlier one where its images are kept."""
    body = stand(images, thresholds_um2_s)
    whole = {view: project(body, view) for view in View}
    shown = {view: crop_to_body(projection) for view, projection in whole.items()}
    prior = None
    if images.prior is not None:
        prior = crop_to_body(project(stand(images.prior, thresholds_um2_s), View.CORONAL))
    return Bodies(shown, find_window(whole[View.CORONAL]), prior)
