"""The schema of audit messages (PS3.15 A.5.1, RELAX NG compact), written out by hand.

Each element: its attributes, with a pattern and whether they must be there, and its children in the
order of the schema with the fewest and the most of each. Only what Osteon may use of it is here.
"""

import re

WORD = r"\S(.*\S)?"
CODE = {
    "csd-code": (WORD, True),
    "codeSystemName": (WORD, True),
    "displayName": (WORD, False),
    "originalText": (WORD, True),
}
MANY = 10**6
SCHEMA = {
    "AuditMessage": (
        {},
        [
            ("EventIdentification", 1, 1),
            ("ActiveParticipant", 1, MANY),
            ("AuditSourceIdentification", 1, 1),
            ("ParticipantObjectIdentification", 0, MANY),
        ],
    ),
    "EventIdentification": (
        {
            "EventActionCode": (r"[CRUDE]", False),
            "EventDateTime": (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", True),
            "EventOutcomeIndicator": (r"0|4|8|12", True),
        },
        [("EventID", 1, 1), ("EventTypeCode", 0, MANY), ("EventOutcomeDescription", 0, 1)],
    ),
    "ActiveParticipant": (
        {
            "UserID": (r"(?s).+", True),
            "AlternativeUserID": (r"(?s).*", False),
            "UserName": (r"(?s).*", False),
            "UserIsRequestor": (r"true|false", True),
            "NetworkAccessPointID": (WORD, False),
            "NetworkAccessPointTypeCode": (r"[1-5]", False),
        },
        [("RoleIDCode", 0, MANY), ("MediaIdentifier", 0, 1)],
    ),
    "AuditSourceIdentification": (
        {"AuditEnterpriseSiteID": (WORD, False), "AuditSourceID": (WORD, True)},
        [("AuditSourceTypeCode", 0, MANY)],
    ),
    "AuditSourceTypeCode": ({"csd-code": (r"[1-9]", True)}, []),
    "ParticipantObjectIdentification": (
        {
            "ParticipantObjectID": (WORD, True),
            "ParticipantObjectTypeCode": (r"[1-4]", False),
            "ParticipantObjectTypeCodeRole": (r"[1-9]|1\d|2[0-6]", False),
            "ParticipantObjectDataLifeCycle": (r"[1-9]|1[0-5]", False),
            "ParticipantObjectSensitivity": (WORD, False),
        },
        [
            ("ParticipantObjectIDTypeCode", 1, 1),
            ("ParticipantObjectName", 1, 1),  # or a query, which Osteon does not write
            ("ParticipantObjectDetail", 0, MANY),
            ("ParticipantObjectDescription", 0, MANY),
        ],
    ),
    "ParticipantObjectDetail": (
        {"type": (WORD, True), "value": (r"[A-Za-z0-9+/]+={0,2}", True)},
        [],
    ),
    "EventID": (CODE, []),
    "EventTypeCode": (CODE, []),
    "RoleIDCode": (CODE, []),
    "ParticipantObjectIDTypeCode": (CODE, []),
    "EventOutcomeDescription": ({}, []),
    "ParticipantObjectName": ({}, []),
}
_WITH_TEXT = {"EventOutcomeDescription", "ParticipantObjectName"}


def breaches(element):
    """Return every breach of the schema in an element and what is in it; none if it is valid."""
    attributes, children = SCHEMA[element.tag]
    found = [f"{element.tag} has {name}" for name in set(element.attrib) - set(attributes)]
    for name, (pattern, needed) in attributes.items():
        if element.get(name) is None:
            found += [f"{element.tag} lacks {name}"] if needed else []
        elif not re.fullmatch(pattern, element.get(name)):
            found.append(f"{element.tag} {name}={element.get(name)!r}")
    if (element.text or "").strip() and element.tag not in _WITH_TEXT:
        found.append(f"{element.tag} has text")
    return found + _of_children(element, children)


def _of_children(element, children):
    order = {name: place for place, (name, _, _) in enumerate(children)}
    tags = [child.tag for child in element]
    found = [f"{element.tag} has {tag}" for tag in tags if tag not in order]
    places = [order[tag] for tag in tags if tag in order]
    if places != sorted(places):
        found.append(f"{element.tag}: {tags} are out of order")
    for name, fewest, most in children:
        if not fewest <= tags.count(name) <= most:
            found.append(f"{element.tag} has {tags.count(name)} {name}")
    return found + [text for child in element if child.tag in order for text in breaches(child)]
