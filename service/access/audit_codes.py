"""Codes of DICOM audit messages (PS3.16 CID 400 to 405), and how one becomes an element."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from service.access.events import Code

APPLICATION = Code("110150", "Application")
LAUNCHER = Code("110151", "Application Launcher")
DESTINATION = Code("110152", "Destination Role ID")
SOURCE = Code("110153", "Source Role ID")
STUDY = Code("110180", "Study Instance UID")
SOP_CLASS = Code("110181", "SOP Class UID")
NODE = Code("110182", "Node ID")
URI = Code("12", "URI", "RFC-3881")


def put(parent: Element, tag: str, code: Code) -> None:
    """Append a coded value (PS3.15 A.5.1, CodedValueType)."""
    attributes = {
        "csd-code": code.value,
        "codeSystemName": code.scheme,
        "originalText": code.meaning,
    }
    SubElement(parent, tag, attributes)
