"""The settings of comparisons with earlier studies."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from imaging.response_limits import USUAL_LIMITS
from service.sections import Section


class FollowUpSection(Section):
    """Limits of change, each with its source (docs/follow_up.md), and how lesions are followed."""

    enabled: bool = Field(
        default=True, description="keep digests of patients and compare their studies"
    )
    identity_key: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="secret of the digests; if not given one is made beside the results",
    )
    identity_conflict: Literal["hold", "note"] = Field(
        default="hold",
        description="a study whose Patient ID is another person's waits, or gets a note",
    )
    against: Literal["previous", "baseline", "nadir"] = Field(
        default="previous", description="the earlier study that reports compare with first"
    )
    tdv_wsd_ln: float = Field(
        default=USUAL_LIMITS.tdv_wsd_ln, gt=0, description="within-subject SD of ln TDV"
    )
    tdv_source: str = Field(
        default=USUAL_LIMITS.tdv_source, description="where the SD of ln TDV comes from"
    )
    gadc_percent: float = Field(
        default=USUAL_LIMITS.gadc_percent, gt=0, description="of the median ADC of all disease"
    )
    gadc_source: str = Field(
        default=USUAL_LIMITS.gadc_source, description="where its limit comes from"
    )
    gadc_other_scanner_percent: float = Field(
        default=USUAL_LIMITS.gadc_other_scanner_percent, gt=0, description="of two scanners"
    )
    gadc_other_scanner_source: str = Field(
        default=USUAL_LIMITS.gadc_other_scanner_source, description="where this limit comes from"
    )
    lesion_adc_percent: float = Field(
        default=USUAL_LIMITS.lesion_adc_percent, gt=0, description="of a lesion's median ADC"
    )
    lesion_adc_source: str = Field(
        default=USUAL_LIMITS.lesion_adc_source, description="where its limit comes from"
    )
    lesion_wsd_ln: float = Field(
        default=USUAL_LIMITS.lesion_wsd_ln,
        gt=0,
        description="within-subject SD of ln of a lesion's volume",
    )
    lesion_source: str = Field(
        default=USUAL_LIMITS.lesion_source, description="where it comes from"
    )
    smallest_ml: float = Field(
        default=USUAL_LIMITS.smallest_ml, ge=0, description="below it no change is called"
    )
    marks_percent: tuple[float, ...] = Field(
        default=USUAL_LIMITS.marks_percent, description="rises of ADC that are marked"
    )
    marks_um2_s: tuple[float, ...] = Field(
        default=USUAL_LIMITS.marks_um2_s, description="ADC values whose crossing is marked"
    )
    smallest_dice: float = Field(
        default=0.5, ge=0, le=1, description="of the bones after registration, to follow lesions"
    )
    diffuse_burden: float = Field(
        default=0.2, gt=0, le=1, description="share of diseased bone from which none is followed"
    )
