"""What is told to those who watch: ports of metrics, and where traces go."""

from __future__ import annotations

from pydantic import Field, field_serializer

from service.sections import Section, without_password


class MonitoringSettings(Section):
    """Metrics of node and worker, and traces (docs/monitoring.md); the REST interface has its own.

    Nothing is opened and nothing is sent unless it is set here.
    """

    host: str = Field(
        default="127.0.0.1", description="where node and worker answer GET /metrics, if at all"
    )
    node_port: int | None = Field(
        default=None, ge=1, le=65535, description="of the node's metrics; not served if not given"
    )
    worker_port: int | None = Field(
        default=None, ge=1, le=65535, description="of the worker's metrics; not served if not given"
    )
    traces: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+",
        description="OTLP over HTTP, as http://127.0.0.1:4318/v1/traces; no traces if not given",
    )

    @field_serializer("traces")
    def _shown(self, url: str | None) -> str | None:
        return None if url is None else without_password(url)
