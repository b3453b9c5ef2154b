"""b-values outside the habits of whole-body diffusion MRI (`clinical_and_console.md` A1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaging.quality import QualityNote
from imaging.quality_limits import USUAL_LIMITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imaging.quality_limits import QualityLimits


def unusual_b_note(
    b_values: Sequence[float], limits: QualityLimits = USUAL_LIMITS
) -> QualityNote | None:
    """Return `UNUSUAL_B` where the fitted b-values (s/mm²) are not the habitual ones.

    `measured` is the first b-value that is unusual.
    """
    ends = ((min(b_values), limits.lowest_b), (max(b_values), limits.highest_b))
    outside = [(b, low, high) for b, (low, high) in ends if not low <= b <= high]
    if not outside:
        return None
    said = "; ".join(f"b {b:g}, where {low:g} to {high:g} is usual" for b, low, high in outside)
    text = (
        f"Unusual b-values were measured: {said} (s/mm²). ADC and the contrast of disease differ "
        "from those of usual protocols."
    )
    return QualityNote("UNUSUAL_B", "warning", text, outside[0][0])
