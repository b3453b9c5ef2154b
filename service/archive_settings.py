"""What the settings say of the archive, as worker and node work with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.node_access import client_files

if TYPE_CHECKING:
    from service.settings import Settings
    from workers.configuration import PriorArchive


def prior_archive(settings: Settings) -> PriorArchive | None:
    """Return where earlier studies are asked for; None: nowhere, or they are not compared."""
    archive = settings.archive
    if archive.host is None or not settings.follow_up.enabled:
        return None
    from workers.configuration import PriorArchive  # noqa: PLC0415

    return PriorArchive(
        ae_title=archive.ae_title,
        host=archive.host,
        port=archive.port,
        calling_ae_title=settings.node.ae_title,
        tls=client_files(archive.tls),
        newest=archive.newest,
        within_days=archive.within_days,
        description=archive.description,
        wait_s=archive.wait_s,
        send_results=archive.send_results,
    )
