"""The rotating projections on a page: one drawing with a frame of this study and of the prior.

The frames lie side by side in one picture; a window of SVG shows one. Both bodies are at the same
scale, head to head, whatever the width of the page. Without a script the view from the front is
shown; the switch between plain and coloured needs none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from report.sprite import COLUMNS, N_FRAMES, STEP_DEGREES, frame_size
from service.api.problems import NoSuchResult
from service.api.results import locate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.result import ResultFile
    from service.api.site import Site

_GAP_PX = 12
_CAPTION_PX = 18


@dataclass(frozen=True)
class TurningBody:
    """One body: where it stands in the drawing, the size of a frame, and its two pictures."""

    caption: str
    x: int
    width: int
    height: int
    plain: str
    overlay: str


@dataclass(frozen=True)
class TurningBodies:
    """The whole drawing, in pixels of the frames."""

    bodies: tuple[TurningBody, ...]
    columns: int = COLUMNS
    n_frames: int = N_FRAMES
    step_degrees: float = STEP_DEGREES
    top: int = _CAPTION_PX

    @property
    def width(self) -> int:
        """Of the drawing."""
        return self.bodies[-1].x + self.bodies[-1].width

    @property
    def height(self) -> int:
        """Of the drawing, with the line of words above the bodies."""
        return self.top + max(body.height for body in self.bodies)


def turning_bodies(
    site: Site, job_id: str, results: Sequence[ResultFile], prior_words: str
) -> TurningBodies | None:
    """Return what of a run can be turned on a page; None where it has no pictures for that."""
    by_name = {result.name: result for result in results if result.kind == "turn"}
    captions = {"turn": "This study", "turn_prior": f"Earlier study, {prior_words}, same window"}
    found: list[TurningBody] = []
    x = 0
    for whose, caption in captions.items():
        names = {which: f"{whose}_{which}.webp" for which in ("plain", "overlay")}
        if any(name not in by_name for name in names.values()):
            continue
        try:
            size = frame_size(locate(site.results_dir, by_name[names["plain"]]))
        except (NoSuchResult, OSError):
            continue
        addresses = {w: f"/api/v1/jobs/{job_id}/results/{name}" for w, name in names.items()}
        found.append(TurningBody(caption, x, size.width, size.height, **addresses))
        x += size.width + _GAP_PX
    return TurningBodies(tuple(found)) if found else None
