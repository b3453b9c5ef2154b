"""A number is the same wherever it is told: page, JSON, CSV, structured report and PDF."""

from decimal import Decimal

import pytest
from playwright.sync_api import Page

from tests.browser import told_numbers
from tests.browser.screens import study_page
from tests.browser.system import System

pytestmark = pytest.mark.acceptance
READERS = {
    "measurements.json": lambda path: told_numbers.from_json(path.read_text()),
    "lesions.csv": lambda path: told_numbers.from_csv(path.read_text()),
    "sr.dcm": told_numbers.from_sr,
    "report.pdf": told_numbers.from_pdf,
}
HEADLINE = {"tdv-ml", "gadc-um2-s", "n-lesions"}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("which", ["baseline", "follow_up"])
def test_the_page_says_the_numbers_of_every_result(
    page: Page, system: System, request: pytest.FixtureRequest, which: str, name: str
) -> None:
    study = request.getfixturevalue(which)
    job = system.newest(study.uid)
    told = READERS[name](system.files(job)[name])
    page.goto(study_page(study))
    compared = set()
    for testid, number in told.items():
        shown = page.get_by_test_id(testid)
        if shown.count():
            assert agrees(shown.first.inner_text(), number), testid
            compared.add(testid)
    assert compared >= HEADLINE
    assert any(testid.startswith("region-") for testid in compared)
    assert any(testid.startswith("lesion-") for testid in compared)


@pytest.mark.parametrize("which", ["baseline", "follow_up"])
def test_the_list_says_the_numbers_of_the_page(
    page: Page, request: pytest.FixtureRequest, which: str
) -> None:
    study = request.getfixturevalue(which)
    page.goto(study_page(study))
    shown = [page.get_by_test_id(name).inner_text() for name in ("tdv-ml", "gadc-um2-s")]
    page.goto("/")
    row = page.locator(f"[data-testid=study-row][data-study='{study.uid}']")
    assert [row.get_by_test_id(name).inner_text() for name in ("tdv", "gadc")] == shown


def agrees(shown: str, number: float | None) -> bool:
    """Whether what is shown is the number, rounded to as many decimals as are shown."""
    if number is None:
        return not shown[-1].isdigit()
    unit = Decimal(1).scaleb(Decimal(shown).as_tuple().exponent)
    # What was rounded once before, to a tenth of the unit at least, may differ by that rounding.
    return abs(Decimal(shown) - Decimal(str(number))) <= unit / 2 + unit / 20


@pytest.mark.parametrize(
    ("shown", "number", "same"),
    [("12.3", 12.34, True), ("12.3", 12.36, False), ("804", 803.6, True), ("804", 805.0, False),
     ("7", 7, True), ("7", 8, False), ("\u2013", None, True), ("0.0", None, False)],
)  # fmt: skip
def test_the_comparison_itself(shown: str, number: float | None, same: bool) -> None:
    assert agrees(shown, number) is same
