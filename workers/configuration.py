"""What a worker is told at its start; plain values that cross to the child process as JSON."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dicom_node.tls import ClientFiles
from workers.inference.endpoint import Endpoint


@dataclass(frozen=True)
class WebAddress:
    """Where a DICOMweb service is and how it knows us (`dicom_node.web_peer.WebPeer`)."""

    url: str
    token_file: Path | None = None
    ca_file: Path | None = None


@dataclass(frozen=True)
class Destination:
    """A system that results are sent to."""

    name: str
    ae_title: str
    host: str
    port: int
    calling_ae_title: str = "OSTEON"
    proof: str = "query"
    """How it shows that it has them: "commitment", "query" or "none"."""
    kinds: tuple[str, ...] = ()
    """Which kinds of objects it gets; all if empty."""
    transfer_syntaxes: tuple[str, ...] = ()
    """UIDs of the uncompressed ones that it is offered; both if empty."""
    tls: ClientFiles | None = None
    """Whom we believe and what we show; no TLS if not given."""
    web: WebAddress | None = None
    """Of a DICOMweb service, which takes results by STOW-RS and has no AE title."""


@dataclass(frozen=True)
class DeliveryRule:
    """How patient deliveries are (reference/reliability.md B7)."""

    back_off_s: tuple[float, ...] = (10.0, 30.0, 120.0, 600.0, 1800.0)
    """Pauses after failures in a row of one destination; the last one repeats."""
    give_up_s: float = 7 * 86400.0
    """What a destination did not take for so long waits for a person."""
    proof_patience_s: float = 600.0
    """A destination may take so long to show that it stored what it took."""
    report_wait_s: float = 3.0
    """A job waits so long for a report that comes at once, before it makes room for another."""
    resends: int = 3
    """An object that was taken and is not there is sent again so often."""


@dataclass(frozen=True)
class PriorArchive:
    """The system that a patient's earlier studies are asked of (docs/priors.md)."""

    ae_title: str
    host: str
    port: int
    calling_ae_title: str = "OSTEON"
    tls: ClientFiles | None = None
    newest: int = 3
    within_days: int = 1825
    description: str = ""
    wait_s: float = 900.0
    send_results: bool = False


@dataclass(frozen=True)
class Build:
    """What made the results: named in every object, and part of what their UIDs derive from."""

    software_version: str
    git_commit: str
    device_uid: str
    """DeviceUID (0018,1002) of this installation."""
    settings_digest: str
    """Of the settings that change pixels or numbers."""
    adc_map: bool = True
    """Whether ADC maps are among the results."""
    pdf: bool = True
    """Whether the PDF report is among the objects for the PACS; the file is made in any case."""
    secondary_capture: bool = True
    """Whether its page as pixels is."""
    mip: bool = True
    """Whether the rotating projections are."""
    volumes: bool = True
    """Whether NIfTI volumes are kept: for the console and for research, never for the PACS."""


@dataclass(frozen=True)
class WorkerConfiguration:
    """Where everything is, and the limits of one job."""

    store_url: str
    """May hold a password: it crosses by standard input, never by argument, and is never logged."""
    spool_dir: Path
    results_dir: Path
    anatomy_model: Path
    """Folder of the anatomy model in the repository."""
    build: Build
    disease_model: Path | None = None
    """Folder of the disease model; disease is found by the rule if not given."""
    focal_model: Path | None = None
    """Folder of the focal model; focal lesions are not listed if not given."""
    model_server: Endpoint | None = None
    """Where models run; in the job's own process if not given."""
    destinations: tuple[Destination, ...] = ()
    delivery: DeliveryRule = dataclasses.field(default_factory=DeliveryRule)
    reading: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Fields of `dicom_objects.reading.limits.FitLimits` that differ from its defaults."""
    adc: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Fields of `imaging.adc.AdcSettings` that differ from its defaults."""
    normalisation: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Fields of `imaging.normalisation.NormalisationRule` that differ from its defaults."""
    disease: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Fields of `imaging.disease.DiseaseRule` that differ from its defaults."""
    thresholds_um2_s: tuple[float, float] = (900.0, 1400.0)
    """Between the low, intermediate and high ADC class."""
    follow_up: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Fields of `imaging.response_limits.ResponseLimits` that differ from its defaults, and
    `against`, `smallest_dice` and `diffuse_burden`."""
    identity_key: str = dataclasses.field(default="", repr=False)
    """Hexadecimal: the secret of patients' digests. Empty: earlier studies are not looked for."""
    archive: PriorArchive | None = None
    """Asked for earlier studies that did not come here; none if not given."""
    hold_conflicts: bool = True
    """Whether a study waits for a person where its Patient ID stands for somebody else too."""
    keep_labels: bool = False
    """Whether the store keeps what names a study to people (docs/decisions/0017)."""
    threads: int | None = None
    memory_gib: float | None = None
    """Address space of the child; no limit if not given."""
    lease_s: float = 60.0
    poll_s: float = 1.0
    timeout_s: float = 1800.0
    crash_delay_s: float = 10.0
    """Before a job whose process died is tried again: no job keeps a worker crashing."""
    log_level: str = "INFO"
    traced: bool = False
    """Whether somebody keeps traces, so that requests carry theirs."""


@dataclass(frozen=True)
class Assignment:
    """One claimed job and everything the child needs for it."""

    job_id: str
    fence: int
    configuration: WorkerConfiguration

    def to_json(self) -> str:
        """Return the assignment as one line of JSON."""
        return json.dumps(dataclasses.asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Assignment:
        """Read what `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        values = fields["configuration"]
        for name in ("spool_dir", "results_dir", "anatomy_model"):
            values[name] = Path(values[name])
        for name in ("disease_model", "focal_model"):
            values[name] = None if values[name] is None else Path(values[name])
        if values["model_server"] is not None:
            values["model_server"] = Endpoint(**values["model_server"])
        values["destinations"] = tuple(_destination(row) for row in values["destinations"])
        if values["archive"] is not None:
            values["archive"] = PriorArchive(**_with_tls(values["archive"]))
        values["delivery"] = DeliveryRule(**_with_tuples(values["delivery"]))
        values["thresholds_um2_s"] = tuple(values["thresholds_um2_s"])
        values["build"] = Build(**values["build"])
        return cls(fields["job_id"], fields["fence"], WorkerConfiguration(**values))


def _destination(row: dict[str, Any]) -> Destination:
    web = row["web"]
    if web is not None:
        files = {n: Path(web[n]) for n in ("token_file", "ca_file") if web[n] is not None}
        row["web"] = WebAddress(**web | files)
    return Destination(**_with_tls(row))


def _with_tls(row: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a system that is called, its files and tuples as they were."""
    tls = row["tls"]
    if tls is not None:
        files = ("authorities", "certificate", "key")
        paths = {name: Path(tls[name]) for name in files if tls[name] is not None}
        row["tls"] = ClientFiles(**tls | paths)
    return _with_tuples(row)


def _with_tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in row.items()}
