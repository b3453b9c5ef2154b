"""The list of studies as CSV: one line a study, units in the names of the columns."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from jobs.listing import ARRIVING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.listing import ListedStudy
    from service.naming import Named

COLUMNS = (
    "study_uid",
    "study_date",
    "patient_name",
    "patient_id",
    "accession_number",
    "scanner",
    "received_at",
    "state",
    "code",
    "revision",
    "job_id",
    "tdv_ml",
    "tdv_change_percent",
    "tdv_call",
    "gadc_um2_s",
    "gadc_change_percent",
    "gadc_call",
    "n_lesions",
    "coverage_status",
    "n_warnings",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def list_table(studies: Iterable[tuple[ListedStudy, Named]]) -> str:
    """Return the table; what is not known is empty. Numbers are those of the run, not rounded."""
    text = io.StringIO()
    rows = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    rows.writeheader()
    for listed, named in studies:
        rows.writerow({name: _cell(value) for name, value in _row(listed, named).items()})
    return text.getvalue()


def _row(listed: ListedStudy, named: Named) -> dict[str, Any]:
    study, job, summary = listed.study, listed.job, listed.summary or {}
    changes = summary.get("follow_up") or {}
    row: dict[str, Any] = {
        "study_uid": study.uid,
        "study_date": named.study_date,
        "patient_name": named.patient_name,
        "patient_id": named.patient_id,
        "accession_number": named.accession_number,
        "scanner": named.scanner,
        "received_at": study.last_received_at.isoformat(timespec="seconds"),
        "state": job.state if job else ARRIVING,
        "code": job.failure.code if job and job.failure else None,
        "revision": study.revision or None,
        "job_id": job.id if job else None,
    }
    for name in ("tdv_ml", "gadc_um2_s", "n_lesions", "coverage_status"):
        row[name] = summary.get(name)
    for name in ("tdv", "gadc"):
        change = changes.get(name) or {}
        row[f"{name}_change_percent"] = change.get("percent")
        row[f"{name}_call"] = change.get("call")
    if "quality" in summary:
        row["n_warnings"] = sum(note["severity"] == "warning" for note in summary["quality"])
    return row


def _cell(value: Any) -> Any:  # noqa: ANN401 - what csv takes
    """Keep a text of a header from being a formula in a spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
