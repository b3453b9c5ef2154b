"""The plots of an evaluation as SVG files: FROC, Bland-Altman, structures as boxes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from training.assessment.burden_summary import gadc_pairs, positive_tdv
from training.assessment.froc import FIXED_FP_PER_EXAM, froc_by_confidence, rank
from training.assessment.lesion_summary import AREA_TO
from training.assessment.reliability import bland_altman
from training.scoring.structures import NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from training.scoring.case import CaseResult


def write_plots(cases: Sequence[CaseResult], folder: Path) -> list[Path]:
    """Write every plot that the exams have data for; return the files.

    The salt of the identifiers is fixed and no date is written: equal exams give equal bytes.
    """
    plots = {
        "structures.svg": (_structures, (7.0, 6.5)),
        "froc.svg": (_froc, (5.5, 4.0)),
        "bland_altman_tdv.svg": (_bland_altman_tdv, (5.5, 4.0)),
        "bland_altman_gadc.svg": (_bland_altman_gadc, (5.5, 4.0)),
    }
    written = []
    with mpl.rc_context({"svg.hashsalt": "osteon", "svg.fonttype": "none", "font.size": 9}):
        for name, (draw, size) in plots.items():
            figure = Figure(figsize=size, layout="constrained")
            if draw(figure.add_subplot(), cases):
                figure.savefig(folder / name, format="svg", metadata={"Date": None})
                written.append(folder / name)
    return written


def _structures(axes: Axes, cases: Sequence[CaseResult]) -> bool:
    values = {n: [c.structures[n].dice for c in cases if n in c.structures] for n in NAMES}
    found = {name: scores for name, scores in values.items() if scores}
    if not found:
        return False
    names = [name.replace("_", " ") for name in found][::-1]
    axes.boxplot(
        list(found.values())[::-1], orientation="horizontal", tick_labels=names, whis=(0, 100)
    )
    axes.set_xlabel(f"Dice (box: quartiles, whiskers: extremes), n = {len(cases)}")
    axes.set_xlim(right=1.0)
    axes.grid(axis="x", alpha=0.3)
    return True


def _froc(axes: Axes, cases: Sequence[CaseResult]) -> bool:
    exams = [c.lesions for c in cases]
    if not any(e.lesions for e in exams):
        return False
    limit = max(AREA_TO.values())
    for from_ml in AREA_TO:
        curve = froc_by_confidence([rank(exams, from_ml)])
        if math.isnan(curve.sensitivity[-1]):
            continue
        costs = [*curve.fp_per_exam, max(limit, curve.fp_per_exam[-1])]
        found = [*curve.sensitivity, curve.sensitivity[-1]]
        label = f"lesions ≥ {from_ml:g} mL" if from_ml else "all lesions"
        axes.step(costs, found, where="post", label=label)
    for fp in FIXED_FP_PER_EXAM:
        axes.axvline(fp, color="grey", linestyle=":", linewidth=0.8)
    axes.set(
        xscale="symlog", xlim=(0, limit), ylim=(0, 1.02),
        xlabel="false positives per exam", ylabel="sensitivity",
    )  # fmt: skip
    _plain_numbers(axes)
    axes.legend(loc="lower right")
    return True


def _bland_altman_tdv(axes: Axes, cases: Sequence[CaseResult]) -> bool:
    pairs = positive_tdv(cases)
    means = [math.sqrt(m * t) for m, t in pairs]
    drawn = _differences(axes, means, [math.log(m / t) for m, t in pairs])
    axes.set(
        xscale="log", xlabel="geometric mean of measured and true TDV, mL",
        ylabel="ln(measured / true)",
    )  # fmt: skip
    _plain_numbers(axes)
    return drawn


def _bland_altman_gadc(axes: Axes, cases: Sequence[CaseResult]) -> bool:
    pairs = gadc_pairs(cases)
    drawn = _differences(axes, [(m + t) / 2 for m, t in pairs], [m - t for m, t in pairs])
    axes.set(
        xlabel="mean of measured and true gADC, µm²/s",
        ylabel="measured - true, µm²/s",
    )
    return drawn


def _differences(axes: Axes, means: Sequence[float], differences: Sequence[float]) -> bool:
    limits = bland_altman(differences)
    if limits is None:
        return False
    axes.plot(np.asarray(means), np.asarray(differences), "o", markersize=3.5)
    for value, style in ((limits.bias, "-"), (limits.low, "--"), (limits.high, "--")):
        axes.axhline(value, color="black", linestyle=style, linewidth=0.9)
    axes.set_title(f"bias {limits.bias:.3g}, limits {limits.low:.3g} to {limits.high:.3g}")
    return True


def _plain_numbers(axes: Axes) -> None:
    """Write 10 and 100 on a logarithmic axis, and nothing between."""
    axes.xaxis.set_major_formatter("{x:g}")
    axes.tick_params(axis="x", which="minor", labelbottom=False)
