"""What of the settings the web server shows: every value with its source, peers, models' stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.chosen_models import disease_folder, focal_folder
from service.configuration import groups
from service.node_access import client_files

if TYPE_CHECKING:
    from dicom_node.tls import ClientFiles
    from service.configuration import Group
    from service.settings import Settings


@dataclass(frozen=True)
class DicomPeer:
    """A DICOM application that results are sent to."""

    name: str
    ae_title: str
    host: str
    port: int
    calling_ae_title: str
    """Ours towards it."""
    tls: ClientFiles | None = field(default=None, repr=False)
    """How it is called over TLS; None: without."""


@dataclass(frozen=True)
class Configured:
    """The settings in force, as the console and REST show them."""

    groups: tuple[Group, ...] = ()
    peers: tuple[DicomPeer, ...] = ()
    model_stages: tuple[str, ...] = ()
    """The stage in which each of `Site.model_dirs` is asked."""
    file: str = ""
    """The settings file that was read; empty where there is none."""


def configured(settings: Settings) -> Configured:
    """Return it; values are masked as `osteon config` masks them."""
    ours = settings.node.ae_title
    chosen = (("disease", disease_folder(settings)), ("focal", focal_folder(settings)))
    return Configured(
        groups=groups(settings),
        peers=tuple(
            DicomPeer(d.name, d.ae_title, d.host, d.port, ours, client_files(d.tls))
            for d in settings.destinations
        ),
        model_stages=("anatomy", *(stage for stage, folder in chosen if folder is not None)),
        file=settings.origins.file_name,
    )
