"""Whether viewers may ask for what Osteon holds, and from where."""

from __future__ import annotations

from pydantic import Field, field_validator

from service.sections import Section


class DicomWebSection(Section):
    """DICOMweb under /dicom-web (docs/dicomweb.md)."""

    enabled: bool = Field(default=True, description="search and retrieve by QIDO-RS and WADO-RS")
    origins: tuple[str, ...] = Field(
        default=(),
        description="sites whose pages may ask, such as an OHIF elsewhere: https://ohif.example",
    )

    @field_validator("origins")
    @classmethod
    def _named(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what is no origin, and the one that means everybody."""
        for origin in origins:
            scheme, _, rest = origin.partition("://")
            if scheme not in ("http", "https") or not rest or set(rest) & set("/*?#@ "):
                message = f"{origin!r} is no origin: write scheme://host or scheme://host:port"
                raise ValueError(message)
        return origins
