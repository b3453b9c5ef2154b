"""The series table: what every series of a study is, and why it was used or not."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicom_objects.reading.records import SeriesRecord

_HEADINGS = ("series", "content", "used", "grid", "volumes")
_KINDS = {"b0": "", "direction": " direction", "vendor-trace": " trace"}
_GAP = "  "


def series_table(series: Sequence[SeriesRecord]) -> str:
    """Return one row a series, and under it the sentences that say why, for a terminal's width."""
    rows = [_cells(record) for record in series]
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *rows, strict=True)]
    indent = " " * (widths[0] + len(_GAP))
    columns = max(shutil.get_terminal_size((100, 24)).columns, 72)
    lines = [_line(_HEADINGS, widths)]
    for record, row in zip(series, rows, strict=True):
        lines.append(_line(row, widths))
        for sentence in _sentences(record):
            lines += textwrap.wrap(
                sentence, columns, initial_indent=indent, subsequent_indent=indent
            )
    return "\n".join(lines)


def as_document(series: Sequence[SeriesRecord], verdict: tuple[str, str] | None) -> dict[str, Any]:
    """Return the same for programs; `verdict` is why the study cannot be measured."""
    code, message = verdict or (None, None)
    return {
        "measurable": verdict is None,
        "code": code,
        "message": message,
        "series": [asdict(record) for record in series],
    }


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return _GAP.join(padded).rstrip()


def _cells(record: SeriesRecord) -> tuple[str, ...]:
    return (
        "-" if record.series_number is None else str(record.series_number),
        record.content,
        "yes" if record.used else record.code or "no",
        _grid(record),
        _volumes(record),
    )


def _sentences(record: SeriesRecord) -> Iterator[str]:
    source = f" b-values from {record.b_source}." if record.b_values else ""
    yield f"{record.reason}{source}"
    yield from record.notes


def _volumes(record: SeriesRecord) -> str:
    if not record.volumes:
        return f"{record.n_instances} image" + ("" if record.n_instances == 1 else "s")
    return ", ".join(
        f"{v.count} x b {v.b:g}{_KINDS.get(v.kind, f' {v.kind}')}" for v in record.volumes
    )


def _grid(record: SeriesRecord) -> str:
    if record.n_slices is None or record.spacing_mm is None:
        return "-"
    rows_mm, columns_mm, slices_mm = record.spacing_mm
    return (
        f"{record.n_slices} x {record.rows} x {record.columns}, "
        f"{slices_mm:.3g} x {rows_mm:.3g} x {columns_mm:.3g} mm"
    )
