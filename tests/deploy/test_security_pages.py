"""The threat model names only tests that exist, and says openly where there is none."""

import ast
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
MODEL = (PROJECT / "docs/threat_model.md").read_text(encoding="utf-8")
PAGES = ("SECURITY.md", "docs/threat_model.md", "docs/audit.md")
INTERFACES = {
    title: [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if re.match(r"\| [STRIDE] \|", line)
    ]
    for title, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", MODEL, re.MULTILINE | re.DOTALL)
}


def functions_of(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_interface_has_its_table():
    assert list(INTERFACES) == [
        "DICOM in (the node)",
        "DICOM out (results, archive)",
        "REST and console",
        "DICOMweb",
        "Webhooks",
        "Audit repository (syslog)",
        "Broker (Redis)",
        "Database",
        "Triton",
        "Model files",
        "File system",
        "Supply chain",
    ]
    assert all(len(rows) >= 4 for rows in INTERFACES.values())
    assert {row[0] for rows in INTERFACES.values() for row in rows} == set("STRIDE")


@pytest.mark.parametrize("interface", INTERFACES)
def test_every_safeguard_has_a_test_that_exists_or_is_said_to_be_open(interface):
    for row in INTERFACES[interface]:
        _, threat, safeguard, test = row
        if not test:
            assert safeguard.startswith("**open**"), threat
            continue
        path, _, name = test.strip("`").partition("::")
        assert name in functions_of(PROJECT / "tests" / path), test


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (PROJECT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!http)([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        file = ((PROJECT / page).parent / path).resolve() if path else PROJECT / page
        assert file.is_file(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
        assert not anchor or anchor in slugs, target
