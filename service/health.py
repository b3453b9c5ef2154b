"""Whether a process of this installation works, asked from beside it: for health checks."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING

from service.chosen_models import model_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jobs.store import JobStore
    from service.settings import Settings

_ANSWERS_S = 5.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - an address that is asked for


class NotHealthy(Exception):  # noqa: N818 - this names the condition
    """A process does not work, or lacks what it needs; the message says what."""

    code = "NOT_HEALTHY"


def check_node(settings: Settings) -> None:
    """Ask the DICOM door of this host for an answer (C-ECHO).

    Where no rule lets this host in, that it was refused is the answer; over TLS too.

    Raises:
        DicomNodeError: nothing listens, or it does not answer.

    """
    from dicom_node.errors import PeerRefused  # noqa: PLC0415
    from dicom_node.peer import Peer, echo  # noqa: PLC0415
    from service.node_access import own_files, own_title  # noqa: PLC0415

    node = settings.node
    title, tls = own_title(node), own_files(node.tls)
    try:
        calling = title or node.ae_title
        echo(Peer(node.ae_title, _near(node.host), node.port, calling, tls=tls))
    except PeerRefused:
        if title is not None and tls is None:
            raise


def check_worker(settings: Settings) -> None:
    """Ask for everything without which a worker measures nothing.

    That it hears rings is not asked here: one that does not ends itself (workers.doorbell.watch).

    Raises:
        NotHealthy: Redis or the model server does not answer.
        JobsError: the database does not answer, or has another schema.
        ModelMismatch: a model is missing, or is not what it declares.

    """
    from service.wiring import open_store  # noqa: PLC0415
    from workers.inference.repository import load_spec  # noqa: PLC0415

    with open_store(settings) as store:
        store.counts()
        _check_broker(settings, store)
    for folder in model_folders(settings):
        load_spec(folder)
    if settings.models.backend == "triton":
        _check_listens("the model server", settings.models.triton.url)


def check_api(settings: Settings) -> None:
    """Ask the web server of this host for a sign of life.

    Raises:
        NotHealthy: it does not answer, or answers with an error.

    """
    asked = http.client.HTTPConnection(_near(settings.api.host), settings.api.port, _ANSWERS_S)
    try:
        asked.request("GET", "/livez")
        status = asked.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise NotHealthy("the web server does not answer") from error
    finally:
        asked.close()
    if status != http.HTTPStatus.OK:
        message = f"the web server answers with status {status}"
        raise NotHealthy(message)


def _check_broker(settings: Settings, store: JobStore) -> None:
    if settings.queue.backend != "celery":
        return
    from service.wiring import make_bell  # noqa: PLC0415

    if make_bell(settings, store).waiting() is None:
        raise NotHealthy("Redis does not answer, or does not let us in")


def _check_listens(what: str, address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWERS_S).close()
    except (OSError, ValueError) as error:
        message = f"nothing listens where {what} should, {address}"
        raise NotHealthy(message) from error


def _near(host: str) -> str:
    """Return an address to ask: a server that listens everywhere listens on loopback."""
    return _EVERYWHERE.get(host, host)


CHECKS: Mapping[str, Callable[[Settings], None]] = {
    "node": check_node,
    "worker": check_worker,
    "api": check_api,
}
