"""`/livez`, `/readyz`, `/metrics`: for those who watch."""

import shutil
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from imaging.errors import ModelMismatch
from jobs.errors import JobsError
from service.api.site import Site, TheSite
from service.metrics.exposition import MEDIA_TYPE, render
from service.metrics.store import site_registry
from workers.inference.repository import load_spec

router = APIRouter(tags=["health"])

_FLOOR_BYTES = 2**30
_ANSWERS_S = 0.5


class NotReady(Exception):  # noqa: N818 - it names the condition
    """One of the things that the service needs is not there; the message says which."""


@dataclass(frozen=True)
class Checked:
    """One part that the service needs, whether it is there, and a sentence."""

    name: str
    ok: bool
    reason: str


@router.get("/livez")
def livez() -> dict[str, str]:
    """Say that this process answers."""
    return {"status": "ok"}


@router.get(
    "/readyz", responses={503: {"description": "Not ready", "content": {"application/json": {}}}}
)
def readyz(site: TheSite) -> JSONResponse:
    """Say whether a study that is sent now would be received and measured; 503 if not."""
    checks = checks_of(site)
    ready = all(check.ok for check in checks)
    told = [asdict(check) for check in checks]
    return JSONResponse({"ready": ready, "checks": told}, 200 if ready else 503)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Prometheus' text format", "content": {"text/plain": {}}}},
)
def metrics(request: Request, site: TheSite) -> Response:
    """Return the metrics in Prometheus' text format; no label holds a UID or a name."""

    def checks() -> dict[str, bool]:
        return {check.name: check.ok for check in checks_of(site)}

    registries = (site_registry(site, checks), request.app.state.request_times.registry)
    return Response(render(*registries), media_type=MEDIA_TYPE)


def checks_of(site: Site) -> tuple[Checked, ...]:
    """Ask each of the parts that a study needs."""
    return tuple(_check(name, test, site) for name, test in CHECKS.items())


def _check(name: str, test: Callable[[Site], str], site: Site) -> Checked:
    """Give one sentence of ours: an error's own text may name addresses, and is in the logs."""
    try:
        return Checked(name, ok=True, reason=test(site))
    except NotReady as error:
        return Checked(name, ok=False, reason=str(error))


def _store(site: Site) -> str:
    try:
        site.store.counts()
    except JobsError as error:
        raise NotReady(f"the database cannot be used ({error.code})") from error
    return "the database answers"


def _broker(site: Site) -> str:
    if site.broker_answers is None:
        return "no broker is used: workers poll the database"
    if not site.broker_answers():
        raise NotReady("Redis does not answer, or does not let us in; studies wait")
    return "Redis answers"


def _model(site: Site) -> str:
    for folder in site.model_dirs:
        try:
            load_spec(folder)
        except (ModelMismatch, OSError) as error:
            text = f"the model {folder.name} cannot be served: osteon models verify says why"
            raise NotReady(text) from error
    return f"{len(site.model_dirs)} models can be read"


def _model_server(site: Site) -> str:
    if not site.model_server:
        return "no model server is used: models run in the worker"
    host, _, port = site.model_server.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWERS_S).close()
    except (OSError, ValueError) as error:
        raise NotReady("nothing listens where the model server should; studies wait") from error
    return "the model server listens"


def _disk(site: Site) -> str:
    free = {"images": _free_bytes(site.spool_dir), "results": _free_bytes(site.results_dir)}
    for what, floor in (("images", site.spool_floor_bytes), ("results", _FLOOR_BYTES)):
        if free[what] < floor:
            raise NotReady(f"less than {floor / 2**30:g} GiB is free for {what}")
    images, results = (f"{size / 2**30:.0f} GiB" for size in free.values())
    return f"{images} free for images, {results} for results"


def _node(site: Site) -> str:
    address = (site.node_host, site.node_port)
    try:
        socket.create_connection(address, _ANSWERS_S).close()
    except OSError as error:
        raise NotReady("nothing listens on the DICOM port") from error
    return "the DICOM port is open"


def _free_bytes(folder: Path) -> int:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        return shutil.disk_usage(existing).free
    except OSError as error:
        raise NotReady("the data directory cannot be read") from error


CHECKS: dict[str, Callable[[Site], str]] = {
    "store": _store,
    "broker": _broker,
    "model": _model,
    "model_server": _model_server,
    "disk": _disk,
    "dicom_node": _node,
}
