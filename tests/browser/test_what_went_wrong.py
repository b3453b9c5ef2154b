"""Studies that were rejected or failed: one sentence, the code, what to do, and another try."""

import re
import zipfile

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from jobs.job import JobState
from tests.browser.scenes import CANARIES, Study
from tests.browser.screens import study_page
from tests.browser.system import System
from tests.browser.test_list_of_studies import A_WHILE_MS, row_of

pytestmark = pytest.mark.acceptance


def test_a_rejected_study_says_why_for_each_series(page: Page, rejected: Study) -> None:
    page.goto(study_page(rejected))
    expect(page.get_by_test_id("state")).to_have_text("rejected")
    expect(page.get_by_test_id("failure-message")).to_contain_text("only b 50 s/mm²")
    expect(page.get_by_test_id("failure-code")).to_have_text(re.compile(r"^[A-Z_]+$"))
    expect(page.get_by_test_id("failure-stage")).to_have_text("read")
    expect(page.get_by_test_id("failure-advice")).to_contain_text(re.compile(r"\w+ \w+ \w+"))
    series = page.get_by_test_id("series").locator("tbody tr")
    assert series.count() >= 3
    for one in series.all():
        assert one.locator("td").last.inner_text().strip()  # a reason


def test_a_failed_study_says_what_and_another_try_delivers_it(
    page: Page, context: BrowserContext, system: System, failed: Study
) -> None:
    listed = context.new_page()
    listed.goto("/")
    row = row_of(listed, failed)
    expect(row).to_have_attribute("data-state", "failed")
    code = system.newest(failed.uid).failure.code
    expect(row.get_by_test_id("failure")).to_contain_text(code)
    page.goto(study_page(failed))
    expect(page.get_by_test_id("failure-code")).to_have_text(code)
    expect(page.get_by_test_id("failure-message")).to_contain_text("a defect of Osteon")
    expect(page.get_by_test_id("failure-advice")).to_contain_text(re.compile(r"\w+ \w+ \w+"))
    page.get_by_test_id("retry").click()
    # Both the page of the study and the list follow it without being loaded again.
    expect(page.get_by_test_id("state")).to_have_text("delivered", timeout=A_WHILE_MS)
    expect(page.get_by_test_id("tdv-ml")).to_have_text(re.compile(r"^\d+\.\d$"))
    expect(page.get_by_test_id("failure")).to_have_count(0)
    expect(row).to_have_attribute("data-state", "delivered")
    assert system.newest(failed.uid).state is JobState.DELIVERED


def test_the_support_bundle_names_nobody(page: Page, rejected: Study) -> None:
    page.goto(study_page(rejected))
    with page.expect_download() as downloading:
        page.get_by_test_id("support-bundle").click()
    assert not [c for c in CANARIES if c in downloading.value.suggested_filename.upper()]
    with zipfile.ZipFile(downloading.value.path()) as bundle:
        texts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert "series.json" in texts
    for canary in (*CANARIES, rejected.uid):
        assert canary not in "".join(texts.values()).upper()
