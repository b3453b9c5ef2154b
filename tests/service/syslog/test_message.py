"""The form of a message, by RFC 5424 and RFC 5425."""

import re
from datetime import UTC, datetime, timedelta, timezone

from jobs.audit import AuditRow
from service.syslog.message import Sender, framed, sequence_id, syslog_message
from tests.service.access.audit_schema import breaches

AT = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)
ROW = AuditRow("study_view", "success", "Jürgen", "viewer", "192.0.2.7", "1.2.840.99", id=17, at=AT)
SENDER = Sender("OSTEON", "osteon.example.org", "Ward 3")


def test_the_header_is_one_of_rfc_5424():
    header, mark, xml = syslog_message(ROW, SENDER).partition(b"\xef\xbb\xbf")
    assert header == (
        b"<85>1 2026-11-22T01:02:03.456789Z osteon.example.org osteon - IHE+RFC-3881 "
        b'[meta sequenceId="17"] '
    )
    assert mark
    assert xml.startswith(b'<?xml version="1.0" encoding="UTF-8"?><AuditMessage>')
    assert "Jürgen".encode() in xml
    assert b'AuditEnterpriseSiteID="Ward 3"' in xml
    assert breaches(xml) == []


def test_what_was_refused_or_failed_is_a_warning():
    for outcome in ("refused", "failed"):
        row = AuditRow("denied", outcome, "x", "viewer", "192.0.2.7", id=1, at=AT)
        assert syslog_message(row, SENDER).startswith(b"<84>1 ")


def test_times_are_utc():
    there = AT.astimezone(timezone(timedelta(hours=5)))
    row = AuditRow("denied", "refused", "x", "viewer", "192.0.2.7", id=1, at=there)
    assert b"2026-11-22T01:02:03.456789Z" in syslog_message(row, SENDER)


def test_a_frame_counts_octets_and_not_characters():
    message = syslog_message(ROW, SENDER)
    count, _, rest = framed(message).partition(b" ")
    assert (int(count), rest) == (len(message), message)
    assert len(message) == len(message.decode()) + 3  # the mark has 3 octets, ü has 2


def test_a_host_whose_name_is_none_of_a_header_is_still_one_word():
    for name, shown in (("a b\nc", "a_b_c"), ("", "-"), ("ü" * 300, "_" * 255)):
        message = syslog_message(ROW, Sender("OSTEON", name))
        assert re.match(rb"<85>1 \S+ (\S+) osteon ", message)[1].decode() == shown


def test_numbers_begin_again_where_rfc_5424_ends_them():
    assert [sequence_id(n) for n in (1, 2**31 - 1, 2**31)] == [1, 2**31 - 1, 1]
