"""An evaluation as Markdown tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imaging.anatomy import STRUCTURES
from training.assessment.burden_summary import relative_error
from training.assessment.cells import interval, number
from training.assessment.lesion_rows import lesion_rows, size_rows
from training.assessment.structure_summary import NSD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.assessment.burden_summary import BurdenSummary, Errors
    from training.assessment.evaluation_summary import EvaluationSummary
    from training.assessment.reliability import BlandAltman
    from training.assessment.structure_summary import Spread
    from training.assessment.targets import Target
    from training.scoring.case import CaseResult

TITLES = {s.name: s.title for s in STRUCTURES} | {
    "skeleton": "Skeleton (one mask)",
    "skeleton_without_ribs": "Skeleton without ribs",
    "organs": "Organs (mean)",
    "kidneys": "Kidneys (one mask)",
}
_PUBLISHED = {
    "skeleton": "0.67",
    "skeleton_without_ribs": "0.76",
    "organs": "0.83",
    "spinal_canal": "0.86",
}


def markdown(summary: EvaluationSummary, cases: Sequence[CaseResult]) -> str:
    """Return the tables of an evaluation, headings at level 3."""
    lines = [f"{summary.population}, n = {len(cases)}; none was trained on.", ""]
    if summary.structures:
        lines += [*_structure_rows(summary.structures), ""]
    if summary.targets:
        lines += [*_target_rows(summary.targets), ""]
    if summary.lesion_source:
        lines += [*lesion_rows(summary), "", *size_rows(summary.lesions_by_size), ""]
    lines += [
        *_case_rows(cases),
        "",
        *(_disease_lines(summary) if summary.lesion_source else []),
        (
            f"- Seconds per exam (median): network {summary.network_seconds_median:.1f}, "
            f"scoring {summary.scoring_seconds_median:.1f}."
        ),
    ]
    return "\n".join(lines) + "\n"


def _disease_lines(summary: EvaluationSummary) -> list[str]:
    accepted, n = summary.canal_reference_accepted, len(summary.cases)
    return [
        *_burden_lines(summary.burden),
        f"- Canal accepted as signal reference: {accepted} of {n}.",
    ]


def _structure_rows(structures: dict[str, dict[str, Spread]]) -> list[str]:
    lines = [
        "### Structures",
        (
            "Means over exams; in brackets the 95 % bootstrap interval over patients. NSD at 1, 2 "
            "and 3 mm; ASD is the average symmetric surface distance; ADC is the median inside "
            "the mask against that inside the truth."
        ),
        "",
        (
            "| structure | Dice | lowest | precision | recall | NSD 1 | NSD 2 | NSD 3 | ASD mm "
            "| ADC difference % | n | Dice published (real patients) |"
        ),
        "|" + "---|" * 12,
    ]
    for name, numbers in structures.items():
        dice = numbers["dice"]
        means = [
            _mean(numbers.get(key), digits)
            for key, digits in (
                ("precision", 3),
                ("recall", 3),
                *((key, 3) for key in NSD),
                ("surface_distance_mm", 2),
                ("adc_difference_percent", 1),
            )
        ]
        cells = [TITLES[name], interval(dice.mean), f"{dice.lowest:.3f}", *means, str(dice.n)]
        lines.append(f"| {' | '.join(cells)} | {_PUBLISHED.get(name, '')} |")
    return lines


def _target_rows(targets: Sequence[Target]) -> list[str]:
    verdict = {True: "met", False: "**missed**", None: "-"}
    return [
        "### Targets (published on real patients; `papers.md` D1, D2)",
        "",
        "| target | asked | found | |",
        "|---|---|---|---|",
        *(f"| {t.title} | {t.asked} | {number(t.found)} | {verdict[t.met]} |" for t in targets),
    ]


def _case_rows(cases: Sequence[CaseResult]) -> list[str]:
    groups = ("skeleton", "organs", "spinal_canal")
    lines = [
        "### Exams",
        "",
        "| case | skeleton | organs | canal | true TDV mL | TDV | % | true gADC µm²/s | gADC | % |",
        "|" + "---|" * 10,
    ]
    for c in cases:
        dice = " | ".join(
            number(c.structures[g].dice if g in c.structures else None) for g in groups
        )
        tdv = _pair(c.true_tdv_ml, c.tdv_ml, 1) if c.lesion_source else "- | - | -"
        gadc = _pair(c.true_gadc_um2_s, c.gadc_um2_s, 0) if c.lesion_source else "- | - | -"
        lines.append(f"| {c.case} | {dice} | {tdv} | {gadc} |")
    return lines


def _pair(true: float | None, measured: float | None, digits: int) -> str:
    shown = [f"{v:.{digits}f}" if v is not None else "-" for v in (true, measured)]
    known = true and measured is not None
    error = f"{relative_error(measured, true):+.1f}" if known and measured and true else "-"
    return " | ".join([*shown, error])


def _burden_lines(burden: BurdenSummary) -> list[str]:
    lines = [
        _errors_line("TDV error", burden.tdv_error_percent),
        _errors_line(
            "Log-TDV difference (relative to ln mL: no error of a volume)",
            burden.log_tdv_difference_percent,
        ),
        _errors_line("gADC error", burden.gadc_error_percent),
    ]
    if ratio := burden.tdv_log_ratio:
        bias, low, high = (100 * (np.exp(v) - 1) for v in (ratio.bias, ratio.low, ratio.high))
        lines.append(
            f"Bland-Altman of ln(TDV / true), n = {ratio.n}: bias {bias:+.1f} %, "
            f"limits {low:+.1f} to {high:+.1f} % in mL."
        )
    lines += [
        _limits_line("TDV", burden.tdv_ml, "mL", 1),
        _limits_line("gADC", burden.gadc_um2_s, "µm²/s", 0),
        _limits_line("gADC", burden.gadc_percent_of_mean, "% of the mean", 1),
    ]
    return [f"- {line}" for line in lines if line]


def _errors_line(title: str, row: Errors | None) -> str:
    if row is None:
        return ""
    return (
        f"{title}: median {row.median:+.1f} %, median of the absolute error "
        f"{row.median_absolute:.1f} %, 90th percentile {row.p90_absolute:.1f} % (n = {row.n})."
    )


def _limits_line(title: str, row: BlandAltman | None, unit: str, digits: int) -> str:
    if row is None:
        return ""
    bias, low, high = (f"{v:+.{digits}f}" for v in (row.bias, row.low, row.high))
    return f"Bland-Altman of {title}, n = {row.n}: bias {bias} {unit}, limits {low} to {high}."


def _mean(found: Spread | None, digits: int) -> str:
    return number(found.mean.value if found else None, digits)
