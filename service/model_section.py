"""The settings of the models: which, where they are, and where they run."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from service.sections import Section

_PROJECT = Path(__file__).resolve().parent.parent
RULE = "rule"
"""Of `models.disease`: the documented rule finds disease, and no network is asked."""
NO_LIST = "none"
"""Of `models.focal`: no network is asked, and focal lesions are not listed."""


class TritonSettings(Section):
    """The model server (workers.inference.endpoint.Endpoint)."""

    url: str = Field(default="127.0.0.1:8001", description="host:port of its gRPC interface")
    shared_memory: bool = Field(
        default=False, description="pass images by /dev/shm: same host, same numeric user"
    )
    deadline_s: float = Field(
        default=120.0, gt=0, description="for one slab, time in the server's queue included"
    )
    in_flight: int = Field(default=2, ge=1, description="slabs of a study that are asked at once")
    patience_s: float = Field(
        default=30.0, ge=0, description="wait so long for a server that is away, then queue again"
    )


class ModelSettings(Section):
    """Where the served models are, and where they run."""

    backend: Literal["embedded", "triton"] = Field(
        default="embedded", description="in the worker, or on a Triton server"
    )
    triton: TritonSettings = TritonSettings()
    repository: Path = Field(
        default=_PROJECT / "model_repository", description="the folder of the models"
    )
    anatomy: str = Field(
        default="anatomy", description="the network that finds skeleton, organs and spinal canal"
    )
    disease: str = Field(
        default="disease",
        min_length=1,
        description='the network that marks disease; "rule": the rule of [disease], no network',
    )
    focal: str | None = Field(
        default=None,
        description='the network that lists focal lesions; "none": no list; by default "focal" '
        "where the repository has it",
    )
