"""Settings of DICOM over TLS, for those who call us and for those whom we call."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads annotations

from pydantic import Field, SecretStr, model_validator

from service.sections import Section


class ServerTlsSection(Section):
    """DICOM over TLS and nothing else, once there is a certificate (PEM files)."""

    certificate: Path | None = Field(
        default=None, description="ours, and after it those up to the authority; no TLS without"
    )
    key: Path | None = Field(default=None, description="its private key; in the same file if none")
    key_password: SecretStr | None = Field(default=None, description="of the key, if it has one")
    authorities: Path | None = Field(
        default=None, description="who vouches for senders; without it none shows a certificate"
    )
    required: bool = Field(
        default=True, description="with authorities: nobody comes in without a certificate"
    )

    @model_validator(mode="after")
    def _has_a_certificate(self) -> ServerTlsSection:
        if self.certificate is None and (self.key or self.authorities):
            raise ValueError("tls without a certificate of ours: name it, or nothing of tls")
        return self


class ClientTlsSection(Section):
    """Whom we believe when we call a destination, and what we show it (PEM files)."""

    authorities: Path | None = Field(
        default=None, description="who vouches for it, or its own certificate; else the system's"
    )
    certificate: Path | None = Field(default=None, description="ours, if it asks for one")
    key: Path | None = Field(default=None, description="its private key; in the same file if none")
    key_password: SecretStr | None = Field(default=None, description="of the key, if it has one")
    server_name: str | None = Field(
        default=None, description="the name in its certificate, if it is not the host"
    )
    check_name: bool = Field(
        default=True, description="false: any certificate of the authorities will do"
    )

    @model_validator(mode="after")
    def _believes_few(self) -> ClientTlsSection:
        if not self.check_name and self.authorities is None:
            raise ValueError("check_name = false needs authorities: else anybody could answer")
        return self
