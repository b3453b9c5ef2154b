"""One synthetic patient at several visits on disk, with what is true between them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dicom_objects.scanner.flavours import Flavour
from dicom_objects.scanner.headers import Identity
from dicom_objects.scanner.study import write_study
from phantom.acquisition import Protocol
from phantom.follow_up import make_visits
from phantom.follow_up_truth import scan_visit, truth_of_pair
from service.synthetic import SMALL, SyntheticStudy, write_truth

if TYPE_CHECKING:
    from pathlib import Path

    from phantom.course import Course
    from phantom.follow_up_truth import Visit

_FIRST = date(2025, 1, 15)
_APART = timedelta(days=90)


@dataclass(frozen=True)
class VisitsOrder:
    """Which synthetic patient, how the disease goes, and how often the patient is scanned."""

    seed: int
    course: Course
    visits: int = 2
    small: bool = False
    flavour: Flavour = Flavour.STANDARD


def make_visit_studies(order: VisitsOrder, out: Path) -> dict[str, Any]:
    """Write `out`/visit_1/dicom and so on, and `out`/truth.json, which is returned too."""
    persons = make_visits(order.seed, order.course, order.visits)
    scanned = [scan_visit(p, SMALL if order.small else Protocol()) for p in persons]
    rows = [_write(order, visit, k, out) for k, visit in enumerate(scanned)]
    truth = {
        "synthetic": True,
        "seed": order.seed,
        "course": order.course.value,
        "visits": rows,
        "since_the_visit_before": [truth_of_pair(a, b) for a, b in pairwise(scanned)],
    }
    (out / "truth.json").write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")
    return truth


def _write(order: VisitsOrder, visit: Visit, k: int, out: Path) -> dict[str, Any]:
    folder = out / f"visit_{k + 1}"
    day = _FIRST + k * _APART
    identity = Identity(
        patient_id=f"OSTEON-PHANTOM-FOLLOW-UP-{order.seed}",
        study_date=day.strftime("%Y%m%d"),
        accession_number=f"PHANTOM{k + 1}",
        study_id=str(k + 1),
    )
    files = write_study(
        visit.acquisition, folder / "dicom", identity, distractors=False, flavour=order.flavour
    )
    study = SyntheticStudy(visit.acquisition, folder / "dicom", files, order.flavour)
    write_truth(study, folder / "truth")
    truth = visit.acquisition.truth
    return {
        "folder": str(folder),
        "date": day.isoformat(),
        "tdv_ml": truth.tdv_ml,
        "gadc_um2_s": truth.gadc_um2_s if truth.lesions else None,
    }
