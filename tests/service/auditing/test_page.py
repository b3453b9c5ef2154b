"""The page on the audit names every event with its codes, and every code of forwarding."""

import re
from pathlib import Path

from service.access.events import EVENTS

PAGE = (Path(__file__).parents[3] / "docs/audit.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| `")
]


def test_every_event_stands_there_with_the_codes_of_its_messages():
    of_events = [row for row in ROWS if len(row) == 3]
    told = {name: row[2] for row in of_events for name in re.findall(r"`(\w+)`", row[0])}
    assert told.keys() == EVENTS.keys()
    for name, event in EVENTS.items():
        assert f"{event.id.value} {event.id.meaning}" in told[name], name
        if event.type is None:
            continue
        ours = event.type.scheme == "99OSTEON"
        expected = "a type of ours" if ours else f"{event.type.value} {event.type.meaning}"
        assert expected in told[name], name


def test_no_code_stands_there_that_no_event_has():
    codes = {code.value for e in EVENTS.values() for code in (e.id, e.type) if code}
    named = {code for row in ROWS if len(row) == 3 for code in re.findall(r"\b110\d{3}\b", row[2])}
    assert named <= codes


def test_every_code_of_forwarding_stands_there():
    room = Path(__file__).parents[3] / "service/syslog/connection.py"
    raised = set(re.findall(r'NotTaken\("([A-Z_]+)"\)', room.read_text(encoding="utf-8")))
    listed = {row[0].strip("`") for row in ROWS if len(row) == 2}
    assert raised | {"UNUSABLE_CERTIFICATE", "STORE_UNAVAILABLE"} == listed
