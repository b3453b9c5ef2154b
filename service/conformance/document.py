"""The conformance statement: a text with places, and what goes into them.

`python -m service.conformance.document` writes it to docs/dicom_conformance.md; a test compares.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from service.conformance import network_tables, object_tables, other_tables, status_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

STATEMENT = Path(__file__).parents[2] / "docs" / "dicom_conformance.md"
_TEXT = Path(__file__).with_name("statement.md")
_PLACE = re.compile(r"\{\{(\w+)(?::(\w+))?\}\}")

_FILLERS: tuple[Callable[[], str], ...] = (
    network_tables.accepted_contexts,
    network_tables.calling_limits,
    network_tables.implementation,
    network_tables.limits,
    network_tables.measured_classes,
    network_tables.network_services,
    network_tables.proposed_contexts,
    network_tables.sent_classes,
    network_tables.transfer_syntaxes,
    object_tables.private_attributes,
    object_tables.private_codes,
    object_tables.segment_codes,
    other_tables.audit_messages,
    other_tables.delivery_pauses,
    other_tables.most_answers,
    other_tables.node_settings,
    other_tables.query_keys,
    other_tables.tls_suites,
    other_tables.web_services,
    status_tables.answer_statuses,
    status_tables.commitment_reasons,
    status_tables.commitment_statuses,
    status_tables.rejections,
    status_tables.store_statuses,
)
FILLERS: Mapping[str, Callable[[], str]] = {filler.__name__: filler for filler in _FILLERS}


def statement() -> str:
    """Return the document."""
    return _PLACE.sub(_filled, _TEXT.read_text(encoding="utf-8"))


def places() -> set[tuple[str, str]]:
    """Return the places of the text: a name, and for attributes the kind of object."""
    return set(_PLACE.findall(_TEXT.read_text(encoding="utf-8")))


def _filled(place: re.Match[str]) -> str:
    name, kind = place.groups()
    return object_tables.attributes(kind) if kind else FILLERS[name]()


def main() -> None:
    """Write the document."""
    STATEMENT.write_text(statement(), encoding="utf-8")
    sys.stdout.write(f"{STATEMENT}\n")


if __name__ == "__main__":
    main()
