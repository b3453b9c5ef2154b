"""The forms of the same study that the phantom's scanner can write."""

from __future__ import annotations

from enum import StrEnum


class Flavour(StrEnum):
    """Whose scanner it looks like; every flavour is synthetic and says so in its headers."""

    STANDARD = "standard"
    SIEMENS = "siemens"
    SIEMENS_XA_ENHANCED = "siemens-xa-enhanced"
    GE = "ge"
    PHILIPS = "philips"
    PHILIPS_ENHANCED = "philips-enhanced"
    CANON = "canon"
    UIH = "uih"
