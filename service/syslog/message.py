"""A row of the audit as a syslog message (RFC 5424), in the frame of a stream (RFC 5425).

What ATNA repositories look at: facility 10, the MSGID, the byte order mark, the count of octets.
The row's number stands in the registered element `meta` (RFC 5424 7.3.1): by it a receiver that got
a message twice knows so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from service.access.audit_message import audit_message

if TYPE_CHECKING:
    from jobs.audit import AuditRow

MESSAGE_ID = "IHE+RFC-3881"
APPLICATION = "osteon"
_SECURITY = 10  # facility: security and authorization messages
_WARNING, _NOTICE = 4, 5
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_BOM = b"\xef\xbb\xbf"
_NOT_PRINTABLE = re.compile(r"[^!-~]")
_LARGEST = 2**31 - 1  # of a sequenceId


@dataclass(frozen=True)
class Sender:
    """Who we say that we are."""

    ae_title: str
    hostname: str
    site: str = ""
    """The enterprise site, where a repository has several."""


def syslog_message(row: AuditRow, sender: Sender) -> bytes:
    """Return one message: header, number, and the DICOM audit message in UTF-8."""
    severity = _NOTICE if row.outcome == "success" else _WARNING
    at = "-" if row.at is None else row.at.astimezone(UTC).isoformat(timespec="microseconds")
    header = (
        f"<{_SECURITY * 8 + severity}>1 {at.replace('+00:00', 'Z')} {_name(sender.hostname)} "
        f'{APPLICATION} - {MESSAGE_ID} [meta sequenceId="{sequence_id(row.id)}"] '
    )
    xml = (
        f'<?xml version="1.0" encoding="UTF-8"?>{audit_message(row, sender.ae_title, sender.site)}'
    )
    return header.encode("ascii") + _BOM + xml.encode()


def framed(message: bytes) -> bytes:
    """Put the count of its octets before a message (RFC 5425 4.3)."""
    return b"%d %s" % (len(message), message)


def sequence_id(number: int) -> int:
    """Return the number of a row as a sequenceId, which begins again after 2147483647."""
    return (number - 1) % _LARGEST + 1


def _name(hostname: str) -> str:
    return _NOT_PRINTABLE.sub("_", hostname)[:255] or "-"
