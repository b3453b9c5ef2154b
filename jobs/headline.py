"""What a list of studies is sorted and filtered by, taken from a job's summary when it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def headline(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of `headlines` for a summary (`workers.summary`).

    `tdv_ml` is in mL, None where nothing was measured. `partial`: not the whole body was in the
    images. `warned`: a quality note of severity "warning". `beyond_limit`: TDV or gADC changed
    against an earlier study by more than the repeatability limit.
    """
    follow_up = summary.get("follow_up") or {}
    return {
        "tdv_ml": summary.get("tdv_ml"),
        "partial": summary.get("coverage_status") == "partial",
        "warned": any(note.get("severity") == "warning" for note in summary.get("quality") or ()),
        "beyond_limit": bool(follow_up.get("beyond_limit")),
    }
