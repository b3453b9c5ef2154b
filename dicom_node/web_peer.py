"""A DICOMweb service that we call: how to reach it, and whom we believe there."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dicom_node.errors import InvalidAddress, PeerRefused

if TYPE_CHECKING:
    from pathlib import Path

USUAL_PORTS = {"https": 443, "http": 80}
_LONGEST_URL = 1000


@dataclass(frozen=True)
class WebPeer:
    """A DICOMweb service: its address, and how it knows us."""

    url: str
    """Of the service, without a slash at its end: https://pacs.example/dicom-web."""
    token_file: Path | None = None
    """Holds a bearer token; read before each call, so that it may be renewed."""
    ca_file: Path | None = None
    """Authorities of its certificate; the system's if not given."""
    connect_s: float = 10.0
    answer_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse what is no such address; raises `InvalidAddress`."""
        parts = urlsplit(self.url)
        fine = parts.scheme in USUAL_PORTS and parts.hostname and self.url.isascii()
        if not fine or len(self.url) > _LONGEST_URL or " " in self.url:
            raise InvalidAddress(
                "the address of a DICOMweb service begins with https:// or http://"
            )
        if parts.username or parts.password or parts.query or parts.fragment:
            text = "the address of a DICOMweb service has no name, password, query or fragment"
            raise InvalidAddress(text)

    @property
    def name(self) -> str:
        """Return host and port: what a message may say."""
        return f"{self.host}:{self.port}"

    @property
    def host(self) -> str:
        """Return the name that its certificate must have."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Return the port, the usual one where none is said."""
        parts = urlsplit(self.url)
        return parts.port or USUAL_PORTS[parts.scheme]

    @property
    def path(self) -> str:
        """Return what stands before every resource."""
        return urlsplit(self.url).path.rstrip("/")

    @cached_property
    def tls(self) -> ssl.SSLContext | None:
        """Return how it is called; None: by http. Raises `PeerRefused` for files of no use."""
        if urlsplit(self.url).scheme == "http":
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError:
            raise PeerRefused(f"the authorities for {self.name} cannot be read") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
