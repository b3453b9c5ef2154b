"""The numbers as plain tables, for terminals and for pages; no library, no colour."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from imaging.anatomy import BY_NAME
from report.adc_classes import CLASSES, class_ranges
from report.rounding import present

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imaging.measurement import AdcStatistics, ClassVolumes, Measurement, RegionMeasurement

_NOT_COVERED = "–"  # noqa: RUF001 - a dash for what was not in the images; never 0


@dataclass(frozen=True)
class Table:
    """A title, column names and rows of text; the first column is text, the others numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def as_text(self) -> str:
        """Align in columns for a terminal: first column left, the others right."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        written = [_aligned(line, widths) for line in lines]
        rule = "-" * len(written[0])
        return "\n".join([self.title, written[0].rstrip(), rule, *written[1:]]) + "\n"

    def as_markdown(self) -> str:
        """Write as a GitHub table without the title."""
        rule = ("---", *("---:" for _ in self.columns[1:]))
        lines = [self.columns, rule, *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _aligned(line: tuple[str, ...], widths: list[int]) -> str:
    first = line[0].ljust(widths[0])
    rest = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
    return "  ".join([first, *rest])


def totals_table(measurement: Measurement) -> Table:
    """Return the headline numbers: TDV, ADC of the disease, lesions, volume by ADC class."""
    adc = measurement.adc
    rows = [
        ("Total diffusion volume (TDV)", present(measurement.tdv_ml, 1), "mL"),
        ("ln TDV", present(measurement.log_tdv, 2), ""),
        ("ADC of the disease, median", _part(adc, "median"), "µm²/s"),
        ("ADC of the disease, mean", _part(adc, "mean"), "µm²/s"),
        ("ADC of the disease, SD", _part(adc, "sd"), "µm²/s"),
        ("Lesions", str(measurement.n_lesions), ""),
        ("Body in the images", measurement.coverage_status, ""),
        ("Left out: organs", present(measurement.removed_organ_ml, 1), "mL"),
        ("Left out: spinal canal", present(measurement.removed_canal_ml, 1), "mL"),
    ]
    ranges = class_ranges(measurement.thresholds_um2_s)
    for adc_class, where, volume in zip(
        CLASSES, ranges, volumes_ml(measurement.classes), strict=True
    ):
        rows.append((f"ADC {adc_class.name} ({where} µm²/s)", present(volume, 1), "mL"))
    return Table("Totals", ("Quantity", "Value", "Unit"), tuple(rows))


def binnings_table(measurement: Measurement) -> Table:
    """Return the disease volume in each published ADC bin, with its paper's name."""
    rows = []
    for binned in measurement.binnings:
        edges = pairwise(binned.bins.edges_um2_s)
        for (low, high), volume in zip(edges, binned.volumes_ml, strict=True):
            rows.append((binned.bins.title, f"{low:g} to {high:g}", present(volume, 1)))
        rows.append((binned.bins.title, "outside", present(binned.outside_ml, 1)))
    columns = ("Published bins", "ADC µm²/s", "Volume mL")
    return Table("Disease by published ADC bins", columns, tuple(rows))


def regions_table(measurement: Measurement) -> Table:
    """Return one row a region; a dash where the region was not in the images, never 0."""
    return _regions_table("Regions (ADC in µm²/s)", measurement.regions)


def met_rads_table(measurement: Measurement) -> Table:
    """Return one row a bone region of MET-RADS-P, as `regions_table` does."""
    return _regions_table("MET-RADS-P bone regions (ADC in µm²/s)", measurement.met_rads)


def _regions_table(title: str, regions: Sequence[RegionMeasurement]) -> Table:
    columns = (
        "Region",
        "Coverage %",
        "Lesions",
        "Volume mL",
        "Burden %",
        "Median ADC",
        "P10",
        "P90",
    )
    rows = []
    for region in regions:
        if not region.seen:
            rows.append((region.title, *[_NOT_COVERED] * 7))
            continue
        bone_ml = region.bone_volume_ml
        share = 100 * region.disease_volume_ml / bone_ml if bone_ml > 0 else None
        coverage = None if region.coverage is None else 100 * region.coverage
        rows.append(
            (
                region.title,
                present(coverage, 0),
                str(region.n_lesions),
                present(region.disease_volume_ml, 1),
                present(share, 1),
                _part(region.adc, "median"),
                _part(region.adc, "p10"),
                _part(region.adc, "p90"),
            )
        )
    return Table(title, columns, tuple(rows))


def lesions_table(measurement: Measurement, limit: int | None = None) -> Table:
    """Return one row a lesion, in the measurement's order; the first `limit` of them if given."""
    columns = (
        "Lesion",
        "Region",
        "Volume mL",
        "Diameter mm",
        "Median ADC",
        "P10",
        "P90",
        "Evaluable",
    )
    rows = tuple(
        (
            lesion.name,
            title_of(lesion.region),
            present(lesion.volume_ml, 2),
            present(lesion.diameter_mm, 0),
            _part(lesion.adc, "median"),
            _part(lesion.adc, "p10"),
            _part(lesion.adc, "p90"),
            "yes" if lesion.evaluable else "no",
        )
        for lesion in measurement.lesions[:limit]
    )
    n_rows, n_all = len(rows), len(measurement.lesions)
    shown = "" if n_rows == n_all else f", the first {n_rows} of {n_all}"
    return Table(f"Lesions{shown} (ADC in µm²/s)", columns, rows)


def volumes_ml(classes: ClassVolumes) -> tuple[float, float, float]:
    """Return the class volumes in mL in the order of `report.adc_classes.CLASSES`."""
    return (classes.low_ml, classes.intermediate_ml, classes.high_ml)


def title_of(region: str) -> str:
    """Return a region's name for people; the name itself where the table has no such region."""
    structure = BY_NAME.get(region)
    return region if structure is None else structure.title


def _part(adc: AdcStatistics | None, name: str) -> str:
    return present(None if adc is None else getattr(adc, name), 0)
