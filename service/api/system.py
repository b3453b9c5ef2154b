"""`/api/v1/system`, `/models`, `/nodes`: how the installation is doing, as the System page says."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, HTTPException
from fastapi import Path as PathParameter
from pydantic import BaseModel

from jobs.job import Priority
from jobs.presence import Worker
from service.api.site import TheSite
from service.echo import Echo, echo_peer
from service.installation import Installation, ServedModel, Work, look, served_models

router = APIRouter(prefix="/api/v1", tags=["system"])
_Name = Annotated[str, PathParameter(max_length=64)]


class CheckOut(BaseModel):
    """One part that a study needs."""

    name: str
    ok: bool
    reason: str


class AlertOut(BaseModel):
    """Something that a person should see to; docs/operations.md says how, under its name."""

    name: str
    sentence: str


class WorkerOut(BaseModel):
    """One worker process."""

    owner: str
    version: str
    there: bool
    started_at: datetime | None
    silent_s: float | None
    job_ids: list[str]

    @classmethod
    def of(cls, worker: Worker) -> Self:
        """Copy the domain's value."""
        return cls(
            owner=worker.owner,
            version=worker.version,
            there=worker.there,
            started_at=worker.started_at,
            silent_s=worker.silent_s,
            job_ids=[job.id for job in worker.jobs],
        )


class QueueOut(BaseModel):
    """What waits."""

    queued: dict[str, int]
    """By priority."""
    jobs: dict[str, int]
    """By state."""
    n_due: int
    due_for_s: float
    oldest_queued_s: float | None
    received_last_s: float | None

    @classmethod
    def of(cls, work: Work) -> Self:
        """Copy the domain's value."""
        seen = work.seen
        return cls(
            queued={str(p.name).lower(): seen.queued.get(int(p), 0) for p in Priority},
            jobs={str(state): n for state, n in work.counts.items()},
            n_due=seen.n_due,
            due_for_s=seen.due_for_s,
            oldest_queued_s=work.oldest_queued_s,
            received_last_s=seen.received_last_s,
        )


class DestinationOut(BaseModel):
    """How a destination stands that results wait for, or that does not answer."""

    name: str
    waiting: int
    """Objects that are to be sent."""
    waiting_for_s: float
    failures: int
    """Calls in a row that it did not answer; 0: the last one went well."""
    away_for_s: float
    called_again_in_s: float
    code: str


class LastDayOut(BaseModel):
    """What came and what became of it within 24 hours."""

    received: int
    fates: dict[str, int]
    replaced: int


class DiskOut(BaseModel):
    """A volume, in bytes."""

    name: str
    free: int
    total: int
    floor: int


class SystemOut(BaseModel):
    """How the installation is doing; without the database what it would say is null."""

    checks: list[CheckOut]
    alerts: list[AlertOut]
    queue: QueueOut | None
    destinations: list[DestinationOut] | None
    last_day: LastDayOut | None
    workers: list[WorkerOut] | None
    disks: list[DiskOut]
    versions: dict[str, str]

    @classmethod
    def of(cls, now: Installation) -> Self:
        """Copy the domain's value."""
        work = now.work
        return cls(
            checks=[CheckOut(**vars(check)) for check in now.checks],
            alerts=[AlertOut(**vars(alert)) for alert in now.alerts],
            queue=QueueOut.of(work) if work else None,
            destinations=_destinations(work) if work else None,
            last_day=_last_day(work) if work else None,
            workers=[WorkerOut.of(worker) for worker in work.workers] if work else None,
            disks=[DiskOut(**vars(disk)) for disk in now.disks],
            versions=dict(now.versions),
        )


class ModelOut(BaseModel):
    """One version of one model."""

    folder: str
    number: int
    name: str
    version: str
    sha256: str
    serves: str
    sound: bool
    state: str
    stage: str
    last_at: datetime | None
    last_seconds: float | None

    @classmethod
    def of(cls, model: ServedModel) -> Self:
        """Copy the domain's value."""
        return cls(
            **vars(model.row),
            sound=model.row.sound,
            stage=model.stage,
            last_at=model.last_at,
            last_seconds=model.last_seconds,
        )


class NodeOut(BaseModel):
    """A DICOM application that results are sent to."""

    name: str
    ae_title: str
    host: str
    port: int
    calling_ae_title: str


class EchoOut(BaseModel):
    """How one C-ECHO ended."""

    node: str
    ok: bool
    code: str
    sentence: str
    seconds: float
    at: datetime

    @classmethod
    def of(cls, heard: Echo) -> Self:
        """Copy the domain's value."""
        told = {name: value for name, value in vars(heard).items() if name != "peer"}
        return cls(node=heard.peer, **told)


@router.get("/system")
def get_system(site: TheSite) -> SystemOut:
    """Say how the installation is doing now: parts, alerts, queue, workers, disks, versions."""
    return SystemOut.of(look(site))


@router.get("/models")
def list_models(site: TheSite) -> list[ModelOut]:
    """List the models that studies are measured with, and their other versions."""
    return [ModelOut.of(model) for model in served_models(site)]


@router.get("/nodes")
def list_nodes(site: TheSite) -> list[NodeOut]:
    """List the DICOM applications that results are sent to."""
    return [NodeOut(**vars(peer)) for peer in site.configured.peers]


@router.post("/nodes/{name}/echo", responses={404: {"description": "no node has this name"}})
def echo_node(site: TheSite, name: _Name) -> EchoOut:
    """Send a C-ECHO to one of them; 200 whether it answers or not, `ok` says which."""
    peer = next((peer for peer in site.configured.peers if peer.name == name), None)
    if peer is None:
        raise HTTPException(404)
    return EchoOut.of(echo_peer(peer))


def _destinations(work: Work) -> list[DestinationOut]:
    waiting = {row.destination: row for row in work.seen.pending}
    away = {row.destination: row for row in work.seen.away}
    return [
        DestinationOut(
            name=name,
            waiting=waiting[name].n_objects if name in waiting else 0,
            waiting_for_s=waiting[name].oldest_s if name in waiting else 0.0,
            failures=away[name].failures if name in away else 0,
            away_for_s=away[name].since_s if name in away else 0.0,
            called_again_in_s=away[name].again_s if name in away else 0.0,
            code=away[name].code if name in away else "",
        )
        for name in sorted({*waiting, *away})
    ]


def _last_day(work: Work) -> LastDayOut:
    day = work.last_day
    fates = {str(state): n for state, n in day.fates.items()}
    return LastDayOut(received=day.received, fates=fates, replaced=day.replaced)
