"""The numbers that each result of a run tells, named as the page names them (`data-testid`).

Every reader knows one format and nothing of the code that wrote it. What a result does not tell is
left out; None is what it says has no value.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pydicom
from pydicom import Dataset
from pypdf import PdfReader

from imaging.anatomy import BONES

Numbers = dict[str, float | None]
TOTAL = "whole_skeleton"
_ADC = {"median": "median", "p10": "p10", "p90": "p90"}


def from_json(text: str) -> Numbers:
    """Of `measurements.json`."""
    document = json.loads(text)
    totals = document["totals"]
    numbers: Numbers = {
        "tdv-ml": totals["tdv_ml"],
        "gadc-um2-s": (totals["adc_um2_s"] or {}).get("median"),
        "n-lesions": totals["n_lesions"],
    }
    for adc_class, volume_ml in zip(
        ("low", "intermediate", "high"), totals["classes_ml"], strict=True
    ):
        numbers[f"class-{adc_class}-ml"] = volume_ml
    for region in document["regions"]:
        numbers |= _of_json("region", region, region["disease_volume_ml"])
        numbers[f"region-{region['name']}-n-lesions"] = region["n_lesions"]
    for lesion in document["lesions"]:
        numbers |= _of_json("lesion", lesion, lesion["volume_ml"])
        numbers[f"lesion-{lesion['name']}-diameter-mm"] = lesion["diameter_mm"]
    return numbers


def _of_json(level: str, part: Mapping[str, Any], volume_ml: float | None) -> Numbers:
    start = f"{level}-{part['name']}"
    adc = part["adc_um2_s"] or dict.fromkeys(_ADC)
    told = {f"{start}-adc-{shown}-um2-s": adc[name] for name, shown in _ADC.items()}
    return {f"{start}-volume-ml": volume_ml, **told}


def from_csv(text: str) -> Numbers:
    """Of `lesions.csv`."""
    numbers: Numbers = {}
    for row in csv.DictReader(io.StringIO(text), strict=True):
        if row["level"] == "total":
            numbers["tdv-ml"] = _cell(row["disease_volume_ml"])
            numbers["gadc-um2-s"] = _cell(row["adc_median_um2_s"])
            numbers["n-lesions"] = _cell(row["n_lesions"])
            for name in ("low", "intermediate", "high"):
                numbers[f"class-{name}-ml"] = _cell(row[f"class_{name}_ml"])
        if row["level"] in ("region", "lesion"):
            start = f"{row['level']}-{row['name']}"
            numbers[f"{start}-volume-ml"] = _cell(row["disease_volume_ml"])
            for name, shown in _ADC.items():
                numbers[f"{start}-adc-{shown}-um2-s"] = _cell(row[f"adc_{name}_um2_s"])
        if row["level"] == "region":
            numbers[f"region-{row['name']}-n-lesions"] = _cell(row["n_lesions"])
        if row["level"] == "lesion":
            numbers[f"lesion-{row['name']}-diameter-mm"] = _cell(row["diameter_mm"])
    return numbers


def _cell(text: str) -> float | None:
    return float(text) if text else None


_CODES = {  # of the concept, and of the derivation where it has one
    ("TDV", None): "tdv-ml",
    ("N_LESIONS", None): "n-lesions",
    ("DISEASE_VOLUME", None): "volume-ml",
    ("118565006", None): "volume-ml",  # SCT, Volume
    ("103339001", None): "diameter-mm",  # SCT, Long Axis
    ("113041", "373099004"): "adc-median-um2-s",  # DCM ADC, SCT Median
    ("113041", "P10"): "adc-p10-um2-s",
    ("113041", "P90"): "adc-p90-um2-s",
}


def from_sr(path: Path) -> Numbers:
    """Of the structured report (TID 1500): a group for the body, each region and each lesion."""
    numbers: Numbers = {}
    for group in _groups(pydicom.dcmread(path)):
        items = group.ContentSequence
        name = next(i.TextValue for i in items if i.ValueType == "TEXT" and _code(i) == "112039")
        is_lesion = re.fullmatch(r"L\d+", name) is not None
        for item in (i for i in items if i.ValueType == "NUM"):
            quantity = _CODES.get((_code(item), _derivation(item)))
            if quantity is None or (is_lesion and quantity == "n-lesions"):
                continue
            value = float(item.MeasuredValueSequence[0].NumericValue)
            numbers.setdefault(_called(name, quantity, is_lesion), value)
    return numbers


def _called(name: str, quantity: str, is_lesion: bool) -> str:
    if name == TOTAL:
        return {"adc-median-um2-s": "gadc-um2-s"}.get(quantity, quantity)
    return f"{'lesion' if is_lesion else 'region'}-{name}-{quantity}"


def _groups(item: Dataset) -> Iterator[Dataset]:
    """Yield the measurement groups (DCM 125007)."""
    for child in item.get("ContentSequence", []):
        if child.ValueType == "CONTAINER" and _code(child) == "125007":
            yield child
        yield from _groups(child)


def _code(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeValue)


def _derivation(item: Dataset) -> str | None:
    modifiers = [m for m in item.get("ContentSequence", []) if _code(m) == "121401"]  # Derivation
    return str(modifiers[0].ConceptCodeSequence[0].CodeValue) if modifiers else None


def from_pdf(path: Path) -> Numbers:
    """Of the report for people, as its words stand on the page."""
    words = pdf_text(path)
    numbers: Numbers = {
        "tdv-ml": _found(f"Total diffusion volume {_NUMBER} mL", words)[0],
        "gadc-um2-s": _found(rf"Median ADC \(gADC\) {_NUMBER} µm²/s", words)[0],
        "n-lesions": _found(f"Lesions {_NUMBER} ", words)[0],
    }
    for bone in BONES:
        row = _found(" ".join([bone.title, *[_NUMBER] * 7]), words)
        columns = (None, "n-lesions", "volume-ml", None, *(f"adc-{p}-um2-s" for p in _ADC.values()))
        numbers |= _row(f"region-{bone.name}", columns, row)
    for name in re.findall(r"\b(L\d{2,})\b", words):
        row = _found(rf"\b{name}(?: \*)? [A-Za-z ]+ " + " ".join([_NUMBER] * 5), words)
        columns = ("volume-ml", "diameter-mm", *(f"adc-{p}-um2-s" for p in _ADC.values()))
        numbers |= _row(f"lesion-{name}", columns, row)
    return numbers


_NUMBER = r"(–|-?\d+(?:\.\d+)?)"  # noqa: RUF001 - the dash of what has no value


def _found(pattern: str, words: str) -> list[float | None]:
    match = re.search(pattern, words)
    assert match is not None, f"the report does not say {pattern}"
    return [float(text) if text[-1].isdigit() else None for text in match.groups()]


def _row(start: str, columns: Sequence[str | None], row: Sequence[float | None]) -> Numbers:
    return {f"{start}-{c}": n for c, n in zip(columns, row, strict=True) if c is not None}


def pdf_text(path: Path) -> str:
    """Return the words of every page of the report, one space between them."""
    return " ".join(" ".join(p.extract_text() for p in PdfReader(path).pages).split())
