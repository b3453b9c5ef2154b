"""The archive that earlier studies are fetched from: whether it answers, and takes a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicom_node.archive import studies_of
from dicom_node.errors import DicomNodeError
from dicom_node.peer import echo
from dicom_node.query import QueryLimits
from service.archive_settings import prior_archive
from service.preflight.finding import ok, problem, skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.preflight.finding import Finding
    from service.settings import Settings

_ECHO, _QUERY = "ECHO_TO_ARCHIVE", "QUERY_ARCHIVE"
_PATIENCE_S = 30.0
_NOBODY = "OSTEON-DOCTOR-NOBODY"


def check_archive(settings: Settings) -> Iterator[Finding]:
    """Send it a C-ECHO, then a C-FIND for a patient who does not exist."""
    from workers.prior_policy import peer_of  # noqa: PLC0415

    archive = prior_archive(settings)
    if archive is None:
        yield skipped(_ECHO, "no archive.host: earlier studies that never came here are not asked")
        return
    peer = peer_of(archive, _PATIENCE_S)
    ours = f"let it know our AE title, {peer.calling_ae_title}"
    try:
        echo(peer)
    except DicomNodeError as error:
        yield problem(_ECHO, f"{error} [{error.code}]: check archive.*, and {ours}")
        yield skipped(_QUERY, "it is asked once it answers")
        return
    yield ok(_ECHO, f"{peer.ae_title} answers {peer.calling_ae_title}")
    try:
        studies_of(peer, _NOBODY, QueryLimits(answers=1, seconds=_PATIENCE_S))
    except DicomNodeError as error:
        yield problem(_QUERY, f"{error} [{error.code}]: let it offer C-FIND of Study Root to us")
        return
    ways = {"get": "C-GET", "move": "C-MOVE"}
    first = settings.archive.retrieve
    text = f"it answers C-FIND; studies come by {ways[first]} first"
    yield ok(_QUERY, f"{text}; for C-MOVE it has to know this host, port {settings.node.port}")
