"""Settings of the audit become what hands it on."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from dicom_node.tls import ClientFiles
from service.syslog.connection import SyslogServer
from service.syslog.forwarder import Forwarder
from service.syslog.message import Sender

if TYPE_CHECKING:
    from jobs.store import JobStore
    from service.settings import Settings


def server_of(settings: Settings) -> SyslogServer | None:
    """Return where the audit goes; None where it goes nowhere."""
    given = settings.audit.syslog
    if given.host is None:
        return None
    files = ClientFiles(given.ca_file, given.certificate_file, given.key_file, given.server_name)
    return SyslogServer(given.host, given.port, files, given.timeout_s, given.proof)


def forwarder_of(settings: Settings, store: JobStore) -> Forwarder | None:
    """Return what hands the audit on; None where it goes nowhere."""
    server = server_of(settings)
    if server is None:
        return None
    site = settings.audit.syslog.site
    sender = Sender(settings.node.ae_title, socket.gethostname(), site)
    return Forwarder(store, server, sender)


def receiver_of(settings: Settings) -> str:
    """Return the name under which the store knows the receiver; empty where there is none."""
    server = server_of(settings)
    return "" if server is None else server.name
