"""What people are shown of a document: its numbers as the words that stand on picture and page.

Taken from the document that `measurements.json` holds and from nothing else, so that a page made
years later from that file says what the PDF of the day said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imaging.anatomy import BY_NAME
from imaging.coverage import BodyCoverage, coverage_words
from imaging.provenance import BurdenMethod, ModelIdentity
from report.adc_classes import CLASSES, class_ranges
from report.rounding import present
from report.tables import title_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from report.adc_classes import AdcClass

Document = dict[str, Any]
"""What `report.documents.measurements_document` returns, or `json.loads` of what was written."""
NOT_COVERED = present(None, 0)


@dataclass(frozen=True)
class ClassRow:
    """The disease of one ADC class; `share` in % of all three."""

    adc_class: AdcClass
    where: str
    volume_ml: str
    share: str


@dataclass(frozen=True)
class RegionRow:
    """One region; every text is a dash where the region was not in the images, never 0."""

    name: str
    title: str
    coverage: str
    n_lesions: str
    volume_ml: str
    burden: str
    median: str
    p10: str
    p90: str
    classes_ml: tuple[float, float, float] | None

    @property
    def is_sum(self) -> bool:
        """Whether it sums up others, such as the whole skeleton."""
        return self.name not in BY_NAME

    @property
    def disease_ml(self) -> float:
        """Volume of the disease that the bar shows, in mL."""
        return sum(self.classes_ml or ())


@dataclass(frozen=True)
class LesionRow:
    """One lesion of the burden."""

    name: str
    region: str
    volume_ml: str
    diameter_mm: str
    median: str
    p10: str
    p90: str
    classes_ml: tuple[float, float, float]
    evaluable: bool


def class_rows(document: Document) -> tuple[ClassRow, ...]:
    """Return low, intermediate and high, in this order."""
    totals = document["totals"]
    shares = totals["classes_percent"] or (None, None, None)
    low, high = document["thresholds"]
    rows = zip(CLASSES, class_ranges((low, high)), totals["classes_ml"], shares, strict=True)
    return tuple(
        ClassRow(adc_class, where, present(volume, 1), present(share, 0))
        for adc_class, where, volume, share in rows
    )


def region_rows(document: Document) -> tuple[RegionRow, ...]:
    """Return the bone regions in the order of the document, the whole skeleton last."""
    return tuple(_region(region) for region in document["regions"])


def met_rads_rows(document: Document) -> tuple[RegionRow, ...]:
    """Return the bone regions of MET-RADS-P, which are sums of regions, in their order."""
    return tuple(_region(region) for region in document["met_rads"])


def lesion_rows(lesions: Sequence[Mapping[str, Any]]) -> tuple[LesionRow, ...]:
    """Return a row for each of the lesions of a document, or for some of them."""
    return tuple(_lesion(lesion) for lesion in lesions)


def coverage_in_words(document: Document) -> str:
    """Say which regions the images do not show; empty for a whole body."""
    missing, cut = document["missing_regions"], document["cut_regions"]
    return coverage_words(BodyCoverage(tuple(missing), tuple(cut)))


def burden_in_words(document: Document) -> str:
    """Say who drew the disease mask."""
    fields = dict(document["provenance"]["burden"])
    model = fields.pop("model")
    return BurdenMethod(model=ModelIdentity(**model) if model else None, **fields).in_words()


def adc_part(part: Mapping[str, Any], name: str) -> str:
    """Return one statistic of the ADC of a total, region or lesion in µm²/s."""
    return present((part["adc_um2_s"] or {}).get(name), 0)


def _region(region: Mapping[str, Any]) -> RegionRow:
    covered, burden = region["coverage"], region["burden"]
    n_lesions, classes = region["n_lesions"], region["classes_ml"]
    return RegionRow(
        name=region["name"],
        title=region["title"],
        coverage=present(None if covered is None else 100 * covered, 0),
        n_lesions=NOT_COVERED if n_lesions is None else str(n_lesions),
        volume_ml=present(region["disease_volume_ml"], 1),
        burden=present(None if burden is None else 100 * burden, 1),
        median=adc_part(region, "median"),
        p10=adc_part(region, "p10"),
        p90=adc_part(region, "p90"),
        classes_ml=None if classes is None else tuple(classes),
    )


def _lesion(lesion: Mapping[str, Any]) -> LesionRow:
    low, intermediate, high = lesion["classes_ml"]
    return LesionRow(
        name=lesion["name"],
        region=title_of(lesion["region"]),
        volume_ml=present(lesion["volume_ml"], 2),
        diameter_mm=present(lesion["diameter_mm"], 0),
        median=adc_part(lesion, "median"),
        p10=adc_part(lesion, "p10"),
        p90=adc_part(lesion, "p90"),
        classes_ml=(low, intermediate, high),
        evaluable=lesion["evaluable"],
    )
