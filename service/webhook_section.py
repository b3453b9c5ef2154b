"""The settings of webhooks: closed unless an address is allowed here."""

import ipaddress
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from service.sections import Section


class WebhookSection(Section):
    """Who may be told of events (docs/rest.md); nobody if no host is named."""

    hosts: tuple[str, ...] = Field(
        default=(),
        description="hosts that webhooks may name: ris.example, or with a port ris.example:8443",
    )
    networks: tuple[str, ...] = Field(
        default=(),
        description="networks in which their addresses must lie (10.0.0.0/8); if none is given, "
        "anywhere but loopback, link-local and reserved addresses",
    )
    allow_http: bool = Field(default=False, description="allow http:// too, which anybody can read")
    ca_file: Path | None = Field(
        default=None, description="authorities that certificates are checked against (PEM)"
    )
    key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="what secrets of webhooks derive from; if not given one is made beside the "
        "results",
    )
    timeout_s: float = Field(default=5.0, gt=0, le=15, description="for the connection, the answer")
    give_up_after_h: float = Field(
        default=72.0, gt=0, description="a message that nobody takes is given up after this"
    )
    keep_days: float = Field(
        default=90.0, gt=0, description="messages that were sent or given up are listed so long"
    )

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ipaddress.ip_network(network)
        return networks
