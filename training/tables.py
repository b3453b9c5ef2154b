"""What an evaluation found, as numbers for programs and as Markdown for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imaging.anatomy import STRUCTURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.evaluation import CaseResult

GROUPS = ("skeleton", "skeleton_without_ribs", "organs", "spinal_canal")
_TITLES = {s.name: s.title for s in STRUCTURES} | {
    "skeleton": "Skeleton (one mask)",
    "skeleton_without_ribs": "Skeleton without ribs",
    "organs": "Organs (mean)",
}
_PUBLISHED = {
    "skeleton": "0.67",
    "skeleton_without_ribs": "0.76",
    "organs": "0.83",
    "spinal_canal": "0.86",
}


def summarise(results: Sequence[CaseResult]) -> dict[str, Any]:
    """Return Dice by structure (mean, SD, lowest, n) and the errors of TDV and gADC."""
    order = [*GROUPS, *(s.name for s in STRUCTURES[1:] if s.name not in GROUPS)]
    scores = {name: [r.dice[name] for r in results if name in r.dice] for name in order}
    tdv = [relative_error(r.tdv_ml, r.true_tdv_ml) for r in results if r.true_tdv_ml > 0]
    gadc = [
        relative_error(r.gadc_um2_s, r.true_gadc_um2_s)
        for r in results
        if r.gadc_um2_s is not None and r.true_gadc_um2_s is not None
    ]
    return {
        "n_cases": len(results),
        "seeds": [r.seed for r in results],
        "dice": {name: _spread(values) for name, values in scores.items() if values},
        "tdv_error_percent": _errors(tdv),
        "gadc_error_percent": _errors(gadc),
        "canal_reference_accepted": sum(r.reference_accepted for r in results),
        "network_seconds_median": float(np.median([r.network_seconds for r in results])),
    }


def relative_error(measured: float, true: float) -> float:
    """Return (measured - true) / true in percent."""
    return 100 * (measured - true) / true


def markdown(results: Sequence[CaseResult]) -> str:
    """Return the tables of an evaluation."""
    summary = summarise(results)
    lines = [
        f"Synthetic patients (phantom seeds), n = {summary['n_cases']}; none was trained on.",
        "",
        "| structure | Dice mean | SD | lowest | published (real patients) |",
        "|---|---|---|---|---|",
    ]
    for name, row in summary["dice"].items():
        published = _PUBLISHED.get(name, "")
        numbers = f"{row['mean']:.3f} | {row['sd']:.3f} | {row['lowest']:.3f}"
        lines.append(f"| {_TITLES[name]} | {numbers} | {published} |")
    lines += ["", *_burden_rows(results), "", *_burden_summary(summary)]
    return "\n".join(lines) + "\n"


def _burden_rows(results: Sequence[CaseResult]) -> list[str]:
    lines = [
        "| seed | skeleton | organs | canal | true TDV mL | TDV | % | true gADC µm²/s | gADC | % |",
        "|" + "---|" * 10,
    ]
    for r in results:
        dice = " | ".join(f"{r.dice.get(g, float('nan')):.3f}" for g in (GROUPS[0], *GROUPS[2:]))
        tdv = _pair(r.true_tdv_ml, r.tdv_ml, 1)
        gadc = _pair(r.true_gadc_um2_s, r.gadc_um2_s, 0)
        lines.append(f"| {r.seed} | {dice} | {tdv} | {gadc} |")
    return lines


def _pair(true: float | None, measured: float | None, digits: int) -> str:
    shown = [f"{v:.{digits}f}" if v is not None else "-" for v in (true, measured)]
    known = true and measured is not None
    error = f"{relative_error(measured, true):+.1f}" if known and measured and true else "-"
    return " | ".join([*shown, error])


def _burden_summary(summary: dict[str, Any]) -> list[str]:
    lines = []
    for name, key in (("TDV", "tdv_error_percent"), ("gADC", "gadc_error_percent")):
        row = summary[key]
        if row:
            lines.append(
                f"{name} error: median {row['median']:+.1f} %, median of the absolute error "
                f"{row['median_absolute']:.1f} %, 90th percentile {row['p90_absolute']:.1f} % "
                f"(n = {row['n']})."
            )
    accepted = f"{summary['canal_reference_accepted']} of {summary['n_cases']}"
    lines.append(f"Canal accepted as signal reference: {accepted}.")
    return lines


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "mean": float(np.mean(values)),
        "sd": float(np.std(values)),
        "lowest": float(np.min(values)),
        "n": len(values),
    }


def _errors(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    size = np.abs(values)
    return {
        "median": float(np.median(values)),
        "median_absolute": float(np.median(size)),
        "p90_absolute": float(np.percentile(size, 90)),
        "n": len(values),
    }
