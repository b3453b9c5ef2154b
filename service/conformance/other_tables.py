"""Tables of queries, web services, settings and audit messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicom_node import archive
from dicom_node.query import QueryLimits
from dicom_node.tls import SUITES_OF_TLS_1_2
from service.access.events import EVENTS
from service.conformance.markdown import table
from service.dicomweb import retrieve_routes, search_routes
from service.dicomweb.parts import PREFIX
from service.node_section import NodeSettings
from workers.configuration import DeliveryRule

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_SETTINGS = (
    "ae_title",
    "host",
    "port",
    "maximum_associations",
    "calling_ae_titles",
    "peers",
    "urgent_ae_titles",
    "free_space_floor_gib",
    "maximum_association_gib",
    "maximum_object_gib",
    "quiet_s",
    "deadline_s",
)


def query_keys() -> str:
    """Return what an archive is asked, by level."""
    rows = (
        ("STUDY", "Patient ID, or Study Instance UID", ", ".join(archive.STUDY_ATTRIBUTES)),
        (
            "SERIES",
            "Study Instance UID (and Patient ID for Patient Root)",
            ", ".join(archive.SERIES_ATTRIBUTES),
        ),
        ("IMAGE", "Study and Series Instance UID", ", ".join(archive.IMAGE_ATTRIBUTES)),
    )
    return table(("Level", "Matched by (single value)", "Return keys"), rows)


def most_answers() -> str:
    """Return how many answers of one query are taken."""
    return str(QueryLimits().answers)


def delivery_pauses() -> str:
    """Return when a destination that did not take an object is tried again."""
    rule = DeliveryRule()
    *first, last = (f"{pause:g} s" for pause in rule.back_off_s)
    return f"{', '.join(first)}, then every {last} for {rule.give_up_s / 86400:g} days"


def web_services() -> str:
    """Return the resources of DICOMweb."""
    rows = [
        (service, f"`GET {PREFIX}{route.path}`")
        for service, module in (("QIDO-RS", search_routes), ("WADO-RS", retrieve_routes))
        for route in module.router.routes
    ]
    return table(("Service", "Resource"), rows)


def node_settings() -> str:
    """Return what of the DICOM door can be set."""
    fields = NodeSettings.model_fields
    rows = (
        (f"`node.{name}`", _default(fields[name]), fields[name].description) for name in _SETTINGS
    )
    return table(("Parameter", "Default", "Description"), rows)


def audit_messages() -> str:
    """Return the audit messages that can be written, by their event."""
    kinds = sorted({(e.id.value, e.id.meaning) for e in EVENTS.values()})
    rows = (
        (
            f"({value}, DCM, {meaning})",
            ", ".join(
                sorted(
                    {
                        f"({e.type.value}, {e.type.scheme}, {e.type.meaning})"
                        for e in EVENTS.values()
                        if e.id.value == value and e.type is not None
                    }
                )
            ),
        )
        for value, meaning in kinds
    )
    return table(("Event ID", "Event type codes"), rows)


def tls_suites() -> str:
    """Return the suites of TLS 1.2, as OpenSSL names them."""
    return f"`{SUITES_OF_TLS_1_2}`"


def _default(field: FieldInfo) -> str:
    value = field.default
    return "none" if value in ((), None) else f"`{value}`"
