"""Which objects of the report go to the PACS."""

from __future__ import annotations

from pydantic import Field

from service.sections import Section


class ReportSettings(Section):
    """The report for people; `report.pdf` itself is made in any case (docs/report.md)."""

    pdf: bool = Field(default=True, description="the report as Encapsulated PDF")
    secondary_capture: bool = Field(
        default=True, description="its page as pixels, for a PACS that shows no PDF"
    )
    mip: bool = Field(default=True, description="rotating projections, plain and with disease")
