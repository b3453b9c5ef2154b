"""Holds audit messages to the schema of PS3.15 A.5.1, by libxml2."""

import re
from functools import cache
from pathlib import Path

from lxml import etree

_NOT_EMPTY = ("csd-code", "codeSystemName", "originalText", "AuditSourceID", "UserID")
_BASE64 = re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/=]{4})?")


@cache
def _schema():
    return etree.RelaxNG(file=Path(__file__).with_name("audit_message.rng"))


def breaches(text):
    """Return every breach of the schema in a message; none if it is valid."""
    message = etree.fromstring(text)
    schema = _schema()
    found = [] if schema.validate(message) else [str(error) for error in schema.error_log]
    for element in message.iter():
        # A token may be empty, by the schema; no code and no name of ours is.
        empty = [name for name in _NOT_EMPTY if element.get(name) == ""]
        found += [f"{element.tag}: {name} is empty" for name in empty]
        if not _BASE64.fullmatch(element.get("value", "")):  # libxml2 takes anything
            found.append(f"{element.tag}: value is not base64")
    return found
