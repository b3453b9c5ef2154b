"""`/livez`, `/readyz`, `/metrics`: for those who watch."""

import shutil
import socket
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from imaging.errors import ModelMismatch
from jobs.errors import JobsError
from service.api.metrics import make_registry
from service.api.site import Site, TheSite
from workers.inference.repository import load_spec

router = APIRouter(tags=["health"])

_FLOOR_BYTES = 2**30
_NODE_ANSWERS_S = 0.5


class NotReady(Exception):  # noqa: N818 - it names the condition
    """One of the things that the service needs is not there; the message says which."""


@router.get("/livez")
def livez() -> dict[str, str]:
    """Say that this process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(site: TheSite) -> JSONResponse:
    """Say whether a study that is sent now would be received and measured; 503 if not."""
    checks = [_check(name, test, site) for name, test in CHECKS.items()]
    ready = all(check["ok"] for check in checks)
    return JSONResponse({"ready": ready, "checks": checks}, 200 if ready else 503)


@router.get("/metrics")
def metrics(site: TheSite) -> Response:
    """Return the metrics in Prometheus' text format; no label holds a UID or a name."""
    registry = make_registry(site)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _check(name: str, test: Callable[[Site], None], site: Site) -> dict[str, object]:
    try:
        test(site)
    except (NotReady, JobsError, ModelMismatch, OSError) as error:
        reason = str(error) if not isinstance(error, OSError) else type(error).__name__
        return {"name": name, "ok": False, "reason": reason}
    return {"name": name, "ok": True}


def _store(site: Site) -> None:
    site.store.counts()


def _model(site: Site) -> None:
    for folder in site.model_dirs:
        load_spec(folder)


def _disk(site: Site) -> None:
    free = shutil.disk_usage(_existing(site.results_dir)).free
    if free < _FLOOR_BYTES:
        raise NotReady("less than 1 GiB is free in the data directory")


def _node(site: Site) -> None:
    address = (site.node_host, site.node_port)
    try:
        socket.create_connection(address, _NODE_ANSWERS_S).close()
    except OSError as error:
        raise NotReady("nothing listens on the DICOM port") from error


def _model_server(site: Site) -> None:
    if not site.model_server:
        return
    host, _, port = site.model_server.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _NODE_ANSWERS_S).close()
    except (OSError, ValueError) as error:
        raise NotReady("nothing listens where the model server should; studies wait") from error


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)


CHECKS: dict[str, Callable[[Site], None]] = {
    "store": _store,
    "model": _model,
    "disk": _disk,
    "dicom_node": _node,
    "model_server": _model_server,
}
