"""The settings of the archive that earlier studies are fetched from (docs/priors.md)."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from service.sections import Section
from service.tls_sections import ClientTlsSection  # noqa: TC001 - pydantic reads annotations


class ArchiveSection(Section):
    """Where a patient's earlier studies are asked for; nowhere if no host is named."""

    host: str | None = Field(default=None, description="name or address; none: no archive is asked")
    port: int = Field(default=104, ge=1, le=65535, description="its DICOM port")
    ae_title: str = Field(default="", max_length=16, description="its AE title")
    tls: ClientTlsSection | None = Field(
        default=None, description="call it over TLS, with {} if it needs nothing of ours"
    )
    retrieve: Literal["get", "move"] = Field(
        default="get", description="C-GET or C-MOVE first; the other where it is refused"
    )
    newest: int = Field(default=3, ge=1, le=20, description="so many earlier studies are fetched")
    within_days: int = Field(default=1825, ge=1, description="none that is older than this")
    description: str = Field(
        default="", description="regular expression for their Study Description; any if empty"
    )
    wait_s: float = Field(
        default=900.0, ge=0, description="no study waits longer than this for its earlier ones"
    )
    send_results: bool = Field(
        default=False, description="send the results of fetched earlier studies to the PACS too"
    )

    @field_validator("description")
    @classmethod
    def _is_a_pattern(cls, text: str) -> str:
        try:
            re.compile(text)
        except re.error as error:
            message = f"not a regular expression: {error}"
            raise ValueError(message) from error
        return text

    @model_validator(mode="after")
    def _has_a_title(self) -> ArchiveSection:
        if self.host is not None and not self.ae_title.strip():
            raise ValueError("an archive has an AE title too: set archive.ae_title")
        return self
