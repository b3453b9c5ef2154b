"""Settings of each system that results are sent to (docs/network_access.md says how with TLS)."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

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
