"""The syslog server that the audit is handed on to: whether it lets us in and ends as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.preflight.finding import ok, problem, skipped
from service.syslog.assembly import server_of
from service.syslog.connection import NotTaken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.preflight.finding import Finding
    from service.settings import Settings

_CODE = "AUDIT_REPOSITORY"
_CURES = {
    "NO_CONNECTION": "nothing listens there: check audit.syslog.host and port, and the firewall",
    "TLS": "its certificate is not of ca_file, has another name, or it does not believe ours",
    "UNUSABLE_CERTIFICATE": "ca_file, certificate_file or key_file does not work",
    "REFUSED": "it closes the connection: let it allow the name in our certificate",
    "TIMEOUT": "it does not answer within audit.syslog.timeout_s",
    "NOT_PROVEN": 'it ends connections without close_notify: set audit.syslog.proof = "end"',
}


def check_audit_repository(settings: Settings) -> Iterator[Finding]:
    """Connect as for messages, and send none."""
    server = server_of(settings)
    if server is None:
        yield skipped(_CODE, "no audit.syslog.host: the audit stays here (docs/audit.md)")
        return
    try:
        server.send(())
    except NotTaken as error:
        yield problem(_CODE, f"{server.name}: {_CURES[error.code]} [{error.code}]")
    else:
        yield ok(_CODE, f"{server.name} lets us in and ends connections as it should")
