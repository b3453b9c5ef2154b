"""The list of studies: what stands in it, filters, and rows that change by themselves."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.chromium import Watch
from tests.browser.scenes import CANARIES, Study
from tests.browser.screens import study_page
from tests.browser.system import System

pytestmark = pytest.mark.acceptance
A_WHILE_MS = 180_000  # for a study to be measured; there is no measure of time here
A_MOMENT_MS = 30_000


def row_of(page: Page, study: Study) -> Locator:
    return page.locator(f"[data-testid=study-row][data-study='{study.uid}']")


def test_each_study_has_a_row_with_its_numbers(
    page: Page, baseline: Study, follow_up: Study, rejected: Study
) -> None:
    page.goto("/")
    first, second, third = (row_of(page, study) for study in (baseline, follow_up, rejected))
    for row, study in ((first, baseline), (second, follow_up), (third, rejected)):
        expect(row.get_by_test_id("patient-id")).to_have_text(study.identity.patient_id)
        expect(row.get_by_test_id("accession")).to_have_text(study.identity.accession_number)
    expect(first.get_by_test_id("state")).to_have_text("delivered")
    expect(first.get_by_test_id("tdv")).to_have_text(re.compile(r"^\d+\.\d$"))
    expect(first.get_by_test_id("tdv-change")).to_have_text(re.compile(r"^\D$"))
    expect(second.get_by_test_id("tdv-change")).to_have_text(re.compile(r"^[+-]\d+ %"))
    expect(third.get_by_test_id("state")).to_have_text("rejected")
    expect(third.get_by_test_id("failure")).to_contain_text(re.compile(r"[a-z]{3}.* [A-Z_]{4,}$"))


def test_a_row_opens_its_study(page: Page, baseline: Study) -> None:
    page.goto("/")
    row_of(page, baseline).get_by_test_id("patient").get_by_role("link").click()
    page.wait_for_url(f"**{study_page(baseline)}")


def test_states_filter_the_list(page: Page, baseline: Study, rejected: Study) -> None:
    page.goto("/")
    page.get_by_test_id("count-rejected").click()
    expect(row_of(page, baseline)).to_have_count(0)
    expect(row_of(page, rejected)).to_have_count(1)
    assert set(shown_states(page)) == {"rejected"}
    page.wait_for_url("**/?state=rejected")  # a link that can be kept


def test_a_text_is_sought_as_it_is_typed_and_stands_in_no_address(
    page: Page, watch: Watch, baseline: Study, rejected: Study
) -> None:
    page.goto("/")
    page.get_by_label("Find").press_sequentially("zf-77-id-2")
    expect(row_of(page, baseline)).to_have_count(0)
    expect(row_of(page, rejected)).to_have_count(1)
    page.get_by_label("Find").fill("nobody is called so")
    expect(page.get_by_test_id("none-fits")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    expect(row_of(page, baseline)).to_have_count(1)
    for address in (*watch.addresses, page.url):
        assert not [canary for canary in CANARIES if canary in address.upper()]


def test_dates_and_flags_filter_too(
    page: Page, baseline: Study, follow_up: Study, rejected: Study
) -> None:
    page.goto("/?dated_by=study&since=2025-04-01&until=2025-04-30")
    expect(row_of(page, follow_up)).to_have_count(1)
    expect(row_of(page, baseline)).to_have_count(0)
    page.goto("/")
    page.get_by_label("Flag").select_option("partial")
    expect(row_of(page, rejected)).to_have_count(0)
    expect(row_of(page, baseline).get_by_test_id("flags")).to_contain_text("partial body")


def test_chosen_studies_are_exported(page: Page, baseline: Study, rejected: Study) -> None:
    page.goto("/")
    row_of(page, baseline).get_by_role("checkbox").check()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Export CSV").click()
    text = downloading.value.path().read_text()
    assert baseline.uid in text
    assert rejected.uid not in text


def test_a_row_goes_from_queued_to_delivered_over_a_restart_without_reload(
    page: Page, watch: Watch, system: System, baseline: Study, unsent: Study
) -> None:
    page.goto("/")
    expect(row_of(page, baseline)).to_have_count(1)  # the list is there, and stays
    page.evaluate("() => { window.mark = 'the page that was opened'; }")
    row = row_of(page, unsent)
    system.stop("worker")
    try:
        system.send(unsent.folder)
        expect(row).to_have_attribute("data-state", "queued", timeout=A_MOMENT_MS)
        expect(page.get_by_test_id("lost")).to_be_hidden()
        system.stop("api")
        expect(page.get_by_test_id("lost")).to_be_visible(timeout=A_MOMENT_MS)
        system.start("api")
        expect(page.get_by_test_id("lost")).to_be_hidden(timeout=A_MOMENT_MS)
    finally:
        system.start("worker")
    expect(row).to_have_attribute("data-state", "running", timeout=A_WHILE_MS)
    expect(row.get_by_test_id("doing")).to_contain_text("%")
    expect(row).to_have_attribute("data-state", "delivered", timeout=A_WHILE_MS)
    expect(row.get_by_test_id("tdv")).to_have_text(re.compile(r"^\d+\.\d$"))
    assert page.evaluate("() => window.mark") == "the page that was opened"
    # What the browser and htmx say of a server that is away is no fault of the page.
    watch.forgive("net::ERR_", "console: [object Event]")


def shown_states(page: Page) -> list[str]:
    rows = page.get_by_test_id("study-row").all()
    return [row.get_attribute("data-state") or "" for row in rows]
