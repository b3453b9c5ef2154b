"""Settings of the DICOM door: who we are and when a study is complete."""

from __future__ import annotations

from pydantic import Field

from service.sections import Section


class ContentSettings(Section):
    """When a study is complete by its content, without waiting (docs/decisions/0006)."""

    enabled: bool = Field(default=True, description="look at headers; else quiet_s alone decides")
    settle_s: float = Field(
        default=2.0, gt=0, description="look after so long a silence, all associations closed"
    )
    coverage_mm: float = Field(
        default=800.0, gt=0, description="stations cover so much; vertex to mid-thigh is 900+"
    )
    b_values: int = Field(default=2, ge=2, description="every station has so many b-values")


class NodeSettings(Section):
    """The DICOM door: who we are and when a study is complete."""

    ae_title: str = Field(
        default="OSTEON",
        min_length=1,
        max_length=16,
        description="ours, also towards the PACS that gets the results",
    )
    host: str = Field(default="127.0.0.1", description="address that images are received at")
    port: int = Field(default=11112, ge=0, le=65535, description="port of it")
    quiet_s: float = Field(
        default=60.0, gt=0, description="a study is complete after so long a silence"
    )
    deadline_s: float = Field(
        default=7200.0, gt=0, description="no study waits longer than this for its end"
    )
    content: ContentSettings = ContentSettings()
    maximum_associations: int = Field(
        default=50, ge=1, description="senders at the same time; more are asked to come again"
    )
    calling_ae_titles: tuple[str, ...] = Field(
        default=(), description="who may send; anybody if empty (an AE title is no proof)"
    )
    urgent_ae_titles: tuple[str, ...] = Field(
        default=(), description="studies that these calling AE titles send are measured first"
    )
    free_space_floor_gib: float = Field(
        default=1.0, ge=0, description="with less free disk the node answers 0xA700"
    )
