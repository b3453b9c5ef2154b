"""Settings of each system that results are sent to (docs/network_access.md says how with TLS)."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads annotations
from typing import Literal, TypeAlias

from pydantic import Field, field_validator, model_validator

from dicom_node.errors import InvalidAddress
from dicom_node.web_peer import WebPeer
from service.sections import Section
from service.tls_sections import ClientTlsSection  # noqa: TC001 - pydantic reads annotations

Kind: TypeAlias = Literal["adc", "seg", "focal_seg", "mip_series", "mip_overlay", "sc", "pdf", "sr"]


class DestinationSettings(Section):
    """A system that results are sent to by C-STORE."""

    name: str = Field(min_length=1, max_length=64)
    ae_title: str = Field(min_length=1, max_length=16)
    host: str
    port: int = Field(ge=1, le=65535)
    proof: Literal["commitment", "query", "none"] = Field(
        default="query",
        description="how it shows that it stored what it took: storage commitment, C-FIND, or not",
    )
    kinds: tuple[Kind, ...] = Field(
        default=(), description="the kinds of objects that it gets; all if none is named"
    )
    transfer_syntaxes: tuple[Literal["explicit", "implicit"], ...] = Field(
        default=("explicit", "implicit"),
        min_length=1,
        description="what it is offered; where it takes implicit only a copy is encoded anew",
    )
    tls: ClientTlsSection | None = Field(
        default=None, description="call it over TLS, with {} if it needs nothing of ours"
    )


class StowSettings(Section):
    """A DICOMweb service that results are sent to by STOW-RS."""

    name: str = Field(min_length=1, max_length=64)
    url: str = Field(
        max_length=1000, description="of the service, as https://pacs.example/dicom-web"
    )
    allow_http: bool = Field(
        default=False, description="allow http://, which anybody on the way can read"
    )
    token_file: Path | None = Field(
        default=None, description="holds a bearer token; read before each call"
    )
    ca_file: Path | None = Field(
        default=None, description="authorities of its certificate (PEM); else the system's"
    )
    proof: Literal["query", "none"] = Field(
        default="query", description="how it shows that it stored what it took: QIDO-RS, or not"
    )
    kinds: tuple[Kind, ...] = Field(
        default=(), description="the kinds of objects that it gets; all if none is named"
    )

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        try:
            WebPeer(url.rstrip("/"))
        except InvalidAddress as error:
            raise ValueError(str(error)) from None
        return url.rstrip("/")

    @model_validator(mode="after")
    def _is_not_read_on_the_way(self) -> StowSettings:
        if self.url.startswith("http:") and not self.allow_http:
            raise ValueError("the url must begin with https://, unless allow_http is true")
        return self
