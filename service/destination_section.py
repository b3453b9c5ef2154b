"""Settings of each system that results are sent to."""

from __future__ import annotations

from pydantic import Field

from service.sections import Section


class DestinationSettings(Section):
    """A system that results are sent to by C-STORE."""

    name: str = Field(min_length=1, max_length=64)
    ae_title: str = Field(min_length=1, max_length=16)
    host: str
    port: int = Field(ge=1, le=65535)
