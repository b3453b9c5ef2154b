"""Changes since an earlier study in words: how much, against which limit, and no conclusion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from report.rounding import present, rounded

if TYPE_CHECKING:
    from imaging.response import Change, LesionCounts, Mark, PriorComparison, RegionChange

NO_PRIOR = "no earlier study"
_CALLS = {
    "up": "beyond the limit, up",
    "down": "beyond the limit, down",
    "within": "within the limit",
}


def percent_words(change: Change) -> str:
    """Return "+12 %"; a dash where it is not known."""
    percent = rounded(change.percent, 0)  # of which minus zero is zero
    return present(None, 0) if percent is None else f"{percent:+.0f} %"


def mark_of(change: Change) -> str:
    """Return a triangle where the change is beyond its limit, else nothing."""
    return {"up": "▲", "down": "▼"}.get(change.call, "")


def change_cell(change: Change) -> str:
    """Return the percentage with its triangle, for a cell of a table."""
    return f"{percent_words(change)} {mark_of(change)}".strip()


def finding_words(change: RegionChange) -> str:
    """Say what of a region MET-RADS-P asks about: passed marks, lesions; no category."""
    passed = [_mark_words(mark) for mark in change.marks]
    return ", ".join([*passed, *_lesion_findings(change.lesions)])


def _mark_words(mark: Mark) -> str:
    if mark.unit == "%":
        way = "risen" if mark.direction == "up" else "fallen"
        return f"ADC {way} by {mark.value:g} % or more"
    return f"ADC passed {mark.value:g} µm²/s {mark.direction}wards"


def _lesion_findings(counts: LesionCounts | None) -> list[str]:
    if counts is None:
        return []
    named = {
        "new": counts.new,
        "no longer seen": counts.resolved,
        "grown": counts.grown,
        "shrunk": counts.shrunk,
    }
    return [f"{number} {words}" for words, number in named.items() if number]


def change_words(change: Change) -> str:
    """Say the change, and whether it is more than a repeated measurement would show."""
    if change.call == "not_called":
        return f"{percent_words(change)}, not judged: {change.why}".rstrip(": ")
    return f"{percent_words(change)}, {_CALLS[change.call]}{limit_words(change)}"


def limit_words(change: Change) -> str:
    """Return " (-47 to +89 %)", the limit of this change; empty where it has none."""
    limit = change.limit
    return f" ({limit.low_percent:+.0f} to {limit.high_percent:+.0f} %)" if limit else ""


def lesion_words(counts: LesionCounts | None) -> str:
    """Count what became of the lesions."""
    if counts is None:
        return "lesions were not followed"
    counted = {
        "new": counts.new,
        "no longer seen": counts.resolved,
        "persistent": counts.persistent + counts.merged + counts.split,
        "not covered twice": counts.not_covered,
    }
    return ", ".join(f"{number} {words}" for words, number in counted.items() if number) or "none"


def prior_words(prior: PriorComparison) -> str:
    """Say which study this one is compared with, and how long before it was."""
    interval = "" if prior.interval_days is None else f", {prior.interval_days} days before"
    return f"{prior.prior.date[:10] or 'no date'}{interval}"


def limit_sources(prior: PriorComparison) -> tuple[str, ...]:
    """Return the limits of the headline numbers with where they come from."""
    named = {"TDV": prior.tdv, "gADC": prior.gadc}
    return tuple(
        f"limit of {name}{limit_words(change)}: {change.limit.source}"
        for name, change in named.items()
        if change.limit is not None
    )
