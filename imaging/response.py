"""What became of a patient's disease since earlier studies: values only, and never a category.

Osteon says by how much numbers changed, whether that is more than a repeated measurement would
show, and what became of each lesion. Whether the patient responds is the reader's to say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from imaging.response_limits import USUAL_LIMITS

if TYPE_CHECKING:
    from imaging.quality import QualityNote
    from imaging.response_limits import Limit, ResponseLimits

Call = Literal["up", "down", "within", "not_called"]
"""Beyond the limit upwards or downwards, within it, or no judgement (`Change.why` says why)."""
Role = Literal["previous", "baseline", "nadir"]
"""The latest earlier study, the first one, and the one with the lowest TDV."""
TrackState = Literal[
    "persistent", "new", "resolved", "merged", "split", "not_covered_before", "not_covered_now"
]


@dataclass(frozen=True)
class Change:
    """One quantity at two times: `before` in the earlier study, `after` in this one.

    None is not known, which is not 0. Without `limit` nothing is called.
    """

    before: float | None
    after: float | None
    limit: Limit | None = None
    call: Call = "not_called"
    why: str = ""
    """Why nothing is called, in a few words; empty where something is."""

    @property
    def percent(self) -> float | None:
        """100 (after / before - 1); None where either is unknown or before is not positive."""
        if self.before is None or self.after is None or self.before <= 0:
            return None
        return 100 * (self.after / self.before - 1)

    @property
    def ln_ratio(self) -> float | None:
        """Natural logarithm of after / before; None unless both are positive."""
        if not self.before or not self.after or self.before <= 0 or self.after <= 0:
            return None
        return math.log(self.after / self.before)


@dataclass(frozen=True)
class Mark:
    """A value that MET-RADS-P names was passed: of the change in %, or of the ADC in µm²/s.

    A fact beside the limits; not a judgement.
    """

    value: float
    unit: Literal["%", "um2/s"]
    direction: Literal["up", "down"]


@dataclass(frozen=True)
class LesionCounts:
    """How many lesions of a region (or of the body) became what. Tracks are counted, not parts."""

    persistent: int = 0
    new: int = 0
    resolved: int = 0
    merged: int = 0
    split: int = 0
    not_covered: int = 0
    """In the images of one of the two studies only; neither new nor resolved."""
    grown: int = 0
    shrunk: int = 0
    adc_up: int = 0
    adc_down: int = 0
    judged: int = 0
    """Tracks in both studies that are large enough to be judged."""


@dataclass(frozen=True)
class RegionChange:
    """Supporting findings of one region; all changes are unknown where it is not `compared`."""

    name: str
    title: str
    compared: bool
    why: str
    """Why it is not compared; empty where it is."""
    volume: Change
    """Disease volume in mL."""
    adc: Change
    """Median ADC of the disease in µm²/s."""
    high_b: Change
    """Median normalised high-b signal of the disease; it has no unit."""
    marks: tuple[Mark, ...] = ()
    lesions: LesionCounts | None = None
    """None: lesions were not followed."""


@dataclass(frozen=True)
class LesionTrack:
    """One lesion through two studies, or several that became one, or one that became several.

    `current` and `prior` name the lesions as each study names them. `tracking_id` and
    `tracking_uid` stay the same over all studies (SEG (0062,0020) and (0062,0021), SR).
    """

    state: TrackState
    tracking_id: str
    tracking_uid: str
    region: str
    current: tuple[str, ...]
    prior: tuple[str, ...]
    volume: Change
    """In mL, of all parts together."""
    adc: Change
    """Median over the voxels of all parts, µm²/s."""


@dataclass(frozen=True)
class TimePoint:
    """One study of the patient in numbers."""

    study_uid: str
    run_id: str
    date: str
    """ISO 8601, of the study; empty where the images do not say."""
    scanner: str
    """For people: maker, model and field."""
    tdv_ml: float
    gadc_um2_s: float | None
    n_lesions: int
    classes_ml: tuple[float, float, float]
    coverage_status: Literal["complete", "partial"]
    adc_histogram_ml: tuple[float, ...] = field(default=(), repr=False)
    """Volume of disease in mL by ADC in bins of 50 µm²/s from 0 on; empty where it is not known."""


@dataclass(frozen=True)
class RegistrationQuality:
    """How well the earlier study was brought onto this one."""

    skeleton_dice: float
    """Of the bones of both studies after registration, 0 to 1."""
    moved_mm: float
    """Median distance that the bone moved."""
    accepted: bool
    """Whether lesions were followed; below the limit they are not."""
    smallest_dice: float


@dataclass(frozen=True)
class PriorComparison:
    """This study against one earlier study."""

    prior: TimePoint
    roles: tuple[Role, ...]
    interval_days: int | None
    same_scanner: bool | None
    """None: not known; then the limits of two scanners hold."""
    tdv: Change
    gadc: Change
    left_out: tuple[str, ...]
    """Regions that one of the studies does not cover: TDV and gADC compare the others only."""
    regions: tuple[RegionChange, ...]
    met_rads: tuple[RegionChange, ...]
    tracks: tuple[LesionTrack, ...]
    lesions: LesionCounts | None
    """None: lesions were not followed; `notes` say why."""
    registration: RegistrationQuality | None = None
    notes: tuple[QualityNote, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """This study among the patient's earlier ones."""

    trend: tuple[TimePoint, ...]
    """Every study that can be compared, oldest first; this one is the last."""
    against: tuple[PriorComparison, ...]
    """Previous, baseline and nadir, each study once; empty where there is no earlier one."""
    chosen: Role = "previous"
    """Against which the headline numbers are given."""
    limits: ResponseLimits = USUAL_LIMITS
    notes: tuple[QualityNote, ...] = ()
    """On earlier studies that could not be compared, and why."""

    def with_role(self, role: Role) -> PriorComparison | None:
        """Return the comparison with the previous, baseline or nadir study."""
        return next((one for one in self.against if role in one.roles), None)

    @property
    def headline(self) -> PriorComparison | None:
        """The comparison that a report gives first."""
        return self.with_role(self.chosen)
