"""Settings of the audit: where it is handed on to (docs/audit.md)."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads annotations
from typing import Literal

from pydantic import Field, model_validator

from service.sections import Section


class SyslogSection(Section):
    """A syslog server that takes the audit over TLS; none without a host."""

    host: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="name or address of the audit repository (RFC 5425, IHE ATNA)",
    )
    port: int = Field(default=6514, ge=1, le=65535, description="port of it")
    ca_file: Path | None = Field(
        default=None,
        description="certificates (PEM) that its certificate is checked with; else the system's",
    )
    certificate_file: Path | None = Field(
        default=None, description="ours (PEM), if the repository asks for one"
    )
    key_file: Path | None = Field(default=None, description="the key of it (PEM)")
    server_name: str | None = Field(
        default=None, description="the name in its certificate, if that is not the host"
    )
    proof: Literal["close_notify", "end"] = Field(
        default="close_notify",
        description="end: for a server that ends connections without TLS's close_notify",
    )
    site: str = Field(
        default="", max_length=100, description="AuditEnterpriseSiteID, if a repository has several"
    )
    timeout_s: float = Field(
        default=10.0, gt=0, le=20, description="for connection, handshake, messages, proof each"
    )

    @model_validator(mode="after")
    def _has_both(self) -> SyslogSection:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file come together")
        return self


class AuditSection(Section):
    """Who saw, sent and changed what."""

    syslog: SyslogSection = SyslogSection()
