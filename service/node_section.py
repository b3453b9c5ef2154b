"""Settings of the DICOM door: who we are, who may come in, when a study is complete."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from dicom_node.gate import network
from service.sections import Section
from service.tls_sections import ClientTlsSection, ServerTlsSection


def _range(text: str) -> str:
    return str(network(text))


class PeerSection(Section):
    """A system that may send to us if titles, addresses and certificates hold, as far as given."""

    name: str = Field(min_length=1, max_length=64, description="ours, for the log")
    ae_titles: tuple[Annotated[str, Field(min_length=1, max_length=16)], ...] = Field(
        default=(), description="its calling AE titles; any if empty"
    )
    addresses: tuple[Annotated[str, AfterValidator(_range)], ...] = Field(
        default=(), description="from where: 192.0.2.10, 192.0.2.0/24, fd00::/64; any if empty"
    )
    certificates: tuple[str, ...] = Field(
        default=(),
        description="names in its client certificate, or sha256:...; none asked if empty",
    )
    urgent: bool = Field(default=False, description="its studies are measured first")
    gib_an_hour: float | None = Field(
        default=None, gt=0, description="it may send so much, the rest later; no limit if not given"
    )
    host: str | None = Field(
        default=None, description="where we report storage commitment once it has hung up"
    )
    port: int = Field(default=104, ge=1, le=65535, description="its port there")
    tls: ClientTlsSection | None = Field(default=None, description="report to it over TLS")

    @model_validator(mode="after")
    def _has_titles_to_report_to(self) -> PeerSection:
        if self.host is not None and not self.ae_titles:
            raise ValueError("a peer with a host needs ae_titles: we call it by each of them")
        return self


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
        default=200, ge=1, description="senders at the same time; more are asked to come again"
    )
    maximum_object_gib: float = Field(
        default=2.0, gt=0, description="who sends a longer object is cut off"
    )
    maximum_association_gib: float = Field(
        default=64.0, gt=0, description="more in one association is answered 0xA700"
    )
    calling_ae_titles: tuple[str, ...] = Field(
        default=(), description="who may send, by AE title alone; peers say more of each"
    )
    urgent_ae_titles: tuple[str, ...] = Field(
        default=(), description="studies that these calling AE titles send are measured first"
    )
    free_space_floor_gib: float = Field(
        default=1.0, ge=0, description="with less free disk the node answers 0xA700"
    )
    peers: tuple[PeerSection, ...] = Field(
        default=(), description="who may send: ae_titles, addresses, certificates, urgent"
    )
    tls: ServerTlsSection = ServerTlsSection()

    @model_validator(mode="after")
    def _can_prove(self) -> NodeSettings:
        if self.tls.authorities is None and any(peer.certificates for peer in self.peers):
            raise ValueError("peers with certificates need tls.authorities, who vouch for them")
        return self
