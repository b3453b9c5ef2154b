"""The groups of settings, frozen and strict about names; `service.settings` reads them."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_serializer


def with_password(url: str, secret: SecretStr | None) -> str:
    """Put a secret in place of `{password}` in an address, escaped as addresses ask."""
    return url.replace("{password}", quote(secret.get_secret_value(), safe="") if secret else "")


def without_password(url: str) -> str:
    """Mask a password that stands in an address itself."""
    return re.sub(r"(?<=://)([^:@/]*):(?!\{password\})[^@/]*@", r"\1:**********@", url)


class Section(BaseModel):
    """A group of settings: frozen, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StoreSettings(Section):
    """The database; SQLite in the data directory if no address is given."""

    url: str | None = Field(
        default=None, description="postgresql://osteon:{password}@host/osteon; else SQLite"
    )
    password: SecretStr | None = Field(
        default=None, description="put in place of {password} in the url"
    )

    @field_serializer("url")
    def _shown(self, url: str | None) -> str | None:
        return None if url is None else without_password(url)


class QueueSettings(Section):
    """How workers learn that there is a job: they poll the database, or Celery rings."""

    backend: Literal["embedded", "celery"] = Field(
        default="embedded", description="workers ask the database, or Redis rings for them"
    )
    broker_url: str = Field(
        default="redis://127.0.0.1:6379/0", description="Redis; redis://:{password}@host:6379/0"
    )
    password: SecretStr | None = Field(
        default=None, description="put in place of {password} in the broker_url"
    )
    prefix: str = Field(default="osteon:", description="before every key in Redis")
    visibility_s: float = Field(
        default=3600.0, gt=0, description="a ring that a dead worker took comes back after this"
    )
    ring_again_s: float = Field(
        default=5.0, gt=0, description="workers look so often for due jobs whose ring was lost"
    )
    deaf_after_s: float = Field(
        default=60.0, gt=0, description="a worker that takes no ring for so long ends itself"
    )

    @field_serializer("broker_url")
    def _shown(self, url: str) -> str:
        return without_password(url)


class WorkerSettings(Section):
    """The process that runs jobs, each in a child of its own."""

    poll_s: float = Field(default=1.0, gt=0, description="where nothing rings, look so often")
    lease_s: float = Field(
        default=60.0, gt=0, description="a worker silent for so long has lost its job to another"
    )
    timeout_s: float = Field(default=1800.0, gt=0, description="a job that runs longer is stopped")
    crash_delay_s: float = Field(
        default=10.0, ge=0, description="before a job whose process died is tried again"
    )
    memory_gib: float | None = Field(
        default=None, gt=0, description="address space limit of the child"
    )
    threads: int | None = Field(default=None, ge=1, description="all cores if not given")


class ReadingSection(Section):
    """Which studies may be measured at all (dicom_objects.reading.limits.FitLimits)."""

    lowest_b_max: float = Field(default=150.0, ge=0, description="the lowest b-value, s/mm2")
    highest_b_min: float = Field(default=400.0, gt=0, description="the highest b-value, from")
    highest_b_max: float = Field(default=1500.0, gt=0, description="the highest b-value, to")
    b_span_min: float = Field(default=200.0, gt=0, description="between lowest and highest")
    oblique_max_degrees: float = Field(default=30.0, gt=0, le=45, description="from axial")
    in_plane_spacing_max_mm: float = Field(default=5.0, gt=0, description="the coarsest pixels")
    slice_spacing_max_mm: float = Field(default=12.0, gt=0, description="the coarsest slices")
    coverage_min_mm: float | None = Field(
        default=None, gt=0, description="shorter studies are refused; any length if not given"
    )


class AdcSection(Section):
    """How the ADC is fitted (imaging.adc.AdcSettings)."""

    weighting: Literal["signal", "none"] = Field(
        default="signal", description="signal: weights S^2; none: unweighted, the vendors' habit"
    )
    exclude_perfusion: bool = Field(
        default=True, description="leave b below 10 s/mm2 out where two others exist"
    )


class DiseaseSettings(Section):
    """The rule that marks disease inside bone (docs/architecture.md, burden)."""

    rule: dict[str, float | tuple[float, float]] = Field(
        default_factory=dict, description="fields of imaging.disease.DiseaseRule to change"
    )
    adc_classes_um2_s: tuple[float, float] = Field(
        default=(900.0, 1400.0), description="between low, intermediate and high ADC"
    )


class NormalisationSection(Section):
    """How high-b signal gets its unit (imaging.normalisation.NormalisationRule)."""

    method: Literal["cord", "histogram"] = Field(
        default="cord", description="the cord's signal is one, or the canal's histogram is matched"
    )
    without_canal: Literal["refuse", "percentile"] = Field(
        default="refuse", description="what happens to a study whose spinal canal fails its checks"
    )


class ResultSettings(Section):
    """Which results are made."""

    adc_map: bool = Field(
        default=True, description="an ADC map for each station; not every PACS takes them"
    )
    volumes: bool = Field(
        default=True, description="keep images as NIfTI for the slices of the console and research"
    )


class ApiSettings(Section):
    """The web address of the console and the REST interface; off loopback both are closed."""

    host: str = Field(default="127.0.0.1", description="address of the console and of REST")
    port: int = Field(default=8080, ge=0, le=65535, description="port of it")
