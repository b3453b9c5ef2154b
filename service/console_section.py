"""The settings of the console: what of a patient the record of work keeps, and who is shown it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from service.sections import Section


class ConsoleSection(Section):
    """Names of patients in the record of work (docs/decisions/0017)."""

    keep_labels: bool = Field(
        default=True,
        description="keep name, Patient ID, accession number, date and scanner of each study for "
        "the list of studies; false removes what is kept when a worker starts",
    )
    names_from: Literal["viewer", "operator", "admin", "nobody"] = Field(
        default="viewer", description="the lowest role that is shown names and numbers of patients"
    )
    names_otherwise: Literal["initials", "hidden"] = Field(
        default="initials", description="what everybody else is shown of a name"
    )
