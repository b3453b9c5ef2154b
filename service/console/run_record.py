"""What is on record of a run: its files and where they are, the study's runs, comments, history."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.job import EventKind
from report.headline import headline_cards
from service.api.problems import NoSuchResult
from service.api.results import locate
from service.console.run_document import DocumentGone, run_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jobs.job import Job, JobEvent
    from jobs.result import Delivery, DeliveryStatus, ResultFile
    from jobs.study import Study
    from service.api.site import Site

_KINDS = {
    "seg": "segmentation (DICOM SEG)",
    "adc": "ADC map (DICOM)",
    "focal_seg": "segmentation of focal lesions (DICOM SEG)",
    "sr": "structured report (DICOM SR)",
    "measurements": "all numbers",
    "lesions": "table of totals, regions and lesions",
    "time_point": "arrays for a later comparison",
    "picture": "result as a picture",
    "mip": "projection",
    "turn": "half a turn, for this page",
    "volume": "volume (NIfTI)",
    "volume_table": "what the volumes are",
    "report": "one-page report (PDF)",
    "pdf": "one-page report (DICOM)",
    "sc": "one-page report as pixels (DICOM)",
    "mip_series": "rotating projections (DICOM)",
    "mip_overlay": "rotating projections with disease (DICOM)",
}
_UNTOLD = frozenset({EventKind.PROGRESS})
_UIDS = frozenset({"sop_instance_uid", "names"})


@dataclass(frozen=True)
class FileRow:
    """One file of a run; `ways` says of each destination how far it is there."""

    name: str
    what: str
    size: str
    sha256: str
    href: str
    ways: tuple[str, ...]


@dataclass(frozen=True)
class RunRow:
    """One run of the study: why it was made, with what, and what it gave."""

    job: Job
    why: str
    software: str
    tdv_ml: str
    gadc_um2_s: str


@dataclass(frozen=True)
class EventRow:
    """One line of the history."""

    event: JobEvent
    words: str


def record_parts(site: Site, study: Study, job: Job, runs: Sequence[Job]) -> dict[str, object]:
    """Return files, deliveries, runs, comments and history of one run."""
    store = site.store
    deliveries = store.deliveries(job.id)
    newest = runs[0] if runs and runs[0].revision > job.revision else None
    return {
        "job": job,
        "files": [_file(site, job, one, deliveries) for one in store.results(job.id)],
        "destinations": destination_rows(deliveries),
        "runs": [_run(site, one, runs) for one in runs],
        "superseded_by": newest,
        "more_arrives": any(one.uid == study.uid for one in store.open_studies()),
        "comments": store.comments(study.uid),
        "revisions": {one.id: one.revision for one in runs},
        "events": [_event(e) for e in store.events(job.id) if e.kind not in _UNTOLD],
    }


def destination_rows(deliveries: Iterable[Delivery]) -> list[tuple[str, str]]:
    """Say of each destination how many objects are how far there."""
    counted: dict[str, Counter[str]] = {}
    for delivery in deliveries:
        counted.setdefault(delivery.destination, Counter())[_words(delivery.status)] += 1
    return [
        (destination, ", ".join(f"{number} {status}" for status, number in sorted(states.items())))
        for destination, states in counted.items()
    ]


def _words(status: DeliveryStatus) -> str:
    return str(status).replace("_", " ")


def _file(site: Site, job: Job, result: ResultFile, deliveries: Sequence[Delivery]) -> FileRow:
    return FileRow(
        name=result.name,
        what=_KINDS.get(result.kind, result.kind.replace("_", " ")),
        size=_size(site, result),
        sha256=result.sha256,
        href=f"/api/v1/jobs/{job.id}/results/{result.name}",
        ways=tuple(
            f"{d.destination}: {_words(d.status)}" for d in deliveries if d.name == result.name
        ),
    )


def _size(site: Site, result: ResultFile) -> str:
    try:
        length = locate(site.results_dir, result).stat().st_size
    except (NoSuchResult, OSError):
        return "gone"
    if length < 10_000:
        return f"{length} B"
    return f"{length / 1e3:.0f} kB" if length < 1e6 else f"{length / 1e6:.1f} MB"


def _run(site: Site, job: Job, runs: Sequence[Job]) -> RunRow:
    try:
        document = run_document(site, job.id)
    except DocumentGone:
        document = None
    tdv = gadc = ""
    if document:
        tdv, gadc = (card.value for card in headline_cards(document)[:2])
    return RunRow(
        job=job,
        why=_why(job, runs),
        software=document["provenance"]["software_version"] if document else "",
        tdv_ml=tdv,
        gadc_um2_s=gadc,
    )


def _why(job: Job, runs: Sequence[Job]) -> str:
    """Say what a run was made for: its input's digest tells whether it is the same images."""
    before = next((one for one in runs if one.revision < job.revision), None)
    if before is None:
        return "the study arrived"
    again = hashlib.sha256(f"{before.input_digest} again {job.revision}".encode()).hexdigest()
    return "measured again" if job.input_digest == again else "more images arrived"


def _event(event: JobEvent) -> EventRow:
    told = (
        f"{name.replace('_', ' ')} {value:g}"
        if isinstance(value, float)
        else f"{name.replace('_', ' ')} {value}"
        for name, value in event.data.items()
        if name not in _UIDS and value is not None
    )
    return EventRow(event, ", ".join(told))
