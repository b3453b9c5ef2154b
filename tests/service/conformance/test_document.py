"""The conformance statement is current, whole, and of what the code does."""

import re
from pathlib import Path

import pytest

from dicom_node.contexts import STORAGE_CLASSES
from dicom_node.receive import accepted_contexts
from service.conformance import document, network_tables, object_tables
from service.conformance.markdown import ranges, table
from service.conformance.sample import PEOPLE, SENT_CLASSES

PROJECT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def statement():
    return document.statement()


def test_the_statement_is_current(statement):
    assert document.STATEMENT.read_text(encoding="utf-8") == statement, (
        "python -m service.conformance.document"
    )


def test_every_table_has_a_place_and_every_place_a_table():
    places = document.places()
    assert {name for name, kind in places if not kind} == set(document.FILLERS)
    assert sorted(kind for _, kind in places if kind) == sorted(object_tables.kinds())


def test_the_classes_that_are_sent_are_those_that_are_made():
    assert set(SENT_CLASSES) == object_tables.classes()


def test_the_classes_that_are_accepted_are_those_of_the_door():
    accepted = {str(context.abstract_syntax) for context in accepted_contexts()}
    listed = {s.uid for s in network_tables.services() if s.scp}
    assert listed == accepted | {"1.2.840.10008.1.20.1"}  # storage commitment
    assert {c.uid for c in STORAGE_CLASSES} <= listed


def test_every_private_element_that_is_read_is_listed():
    assert object_tables.unlisted_elements() == set()


def test_nothing_of_the_samples_patients_stands_in_it(statement):
    for person in PEOPLE:
        identity = person.identity
        for value in (identity.patient_name, identity.birth_date, identity.study_date):
            assert value not in statement


def test_what_differs_between_two_studies_is_not_called_fixed(statement):
    row = re.compile(r"^\| [^|]+ \| (\(\w{4},\w{4}\)) \| \w+ \| (.*) \|$", re.MULTILINE)
    rows = dict(row.findall(statement))
    assert rows["(0008,0018)"] == rows["(0020,000E)"] == "Made or computed"
    assert rows["(0010,0010)"] == rows["(0020,000D)"] == "Copied from the images"
    assert rows["(0008,0070)"] == "`Osteon project`"


def test_links_lead_somewhere(statement):
    for target in re.findall(r"\]\(([^)]+)\)", statement):
        path, _, anchor = target.partition("#")
        file = (PROJECT / "docs" / (path or "dicom_conformance.md")).resolve()
        assert file.is_file(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
        assert not anchor or anchor in slugs, target


def test_statuses_in_a_row_are_one_range():
    assert ranges(lambda s: s in (0, 1, 2, 5, 0xFFFE, 0xFFFF)) == (
        "0000H to 0002H, 0005H, FFFEH to FFFFH"
    )


def test_bars_in_cells_do_not_end_them():
    assert table(("a",), [("x|y",)]) == "| a |\n| --- |\n| x\\|y |\n"
