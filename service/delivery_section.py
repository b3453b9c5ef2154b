"""How patient deliveries are, of all destinations (docs/delivery.md)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from service.sections import Section

_Pause = Annotated[float, Field(gt=0)]


class DeliverySection(Section):
    """What happens while a destination is away, or does not show that it stored what it took."""

    back_off_s: tuple[_Pause, ...] = Field(
        default=(10.0, 30.0, 120.0, 600.0, 1800.0),
        min_length=1,
        description="pauses after failures in a row of a destination; the last one repeats",
    )
    give_up_after_h: float = Field(
        default=168.0,
        gt=0,
        description="what a destination did not take for so long waits for a person",
    )
    proof_patience_s: float = Field(
        default=600.0, gt=0, description="so long a destination may take to show that it stored it"
    )
    resends: int = Field(
        default=3,
        ge=0,
        description="an object that was taken and is not there is sent again so often",
    )
