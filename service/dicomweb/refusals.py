"""What a DICOMweb request is told that is not answered; `service.api.problems` has the status."""

from __future__ import annotations

from service.api.problems import Refused

__all__ = [
    "Refused",
    "bad_query",
    "names_hidden",
    "not_acceptable",
    "not_held",
    "too_much",
    "unreadable",
]


def bad_query(text: str) -> Refused:
    """Refuse a request that is not as PS3.18 writes them."""
    return Refused("BAD_QUERY", text)


def not_held(text: str) -> Refused:
    """Refuse what Osteon does not hold."""
    return Refused("NOT_HELD", text)


def not_acceptable(text: str) -> Refused:
    """Refuse media types and transfer syntaxes that cannot be given."""
    return Refused("NOT_ACCEPTABLE", text)


def too_much(text: str) -> Refused:
    """Refuse a search that would read too much."""
    return Refused("TOO_MUCH", text)


def unreadable(text: str) -> Refused:
    """Refuse an object that is damaged; as a file it is given all the same."""
    return Refused("UNREADABLE_OBJECT", text)


def names_hidden() -> Refused:
    """Refuse who is not shown names: DICOM objects have them."""
    text = "DICOM objects name their patient, and your role is not shown names (console.names_from)"
    return Refused("NAMES_HIDDEN", text)
