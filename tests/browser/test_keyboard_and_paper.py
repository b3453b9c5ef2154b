"""Without a mouse, in the dark, on paper, and without a script."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from tests.browser.conftest import SCREEN
from tests.browser.scenes import Study
from tests.browser.screens import study_page
from tests.browser.system import System

pytestmark = pytest.mark.acceptance
FOCUSED = "() => document.activeElement.textContent.trim()"


def test_the_first_key_skips_to_the_content(page: Page, baseline: Study) -> None:
    page.goto(study_page(baseline))
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "Skip to the content"
    expect(page.get_by_text("Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "content"


def test_a_study_is_opened_with_the_keyboard_alone(page: Page, baseline: Study) -> None:
    page.goto("/")
    wanted = f"/studies/{baseline.uid}"
    order = []
    for _ in range(200):
        page.keyboard.press("Tab")
        where = page.evaluate("() => document.activeElement.getAttribute('href') || ''")
        order.append(where)
        if where == wanted:
            break
    assert order[-1] == wanted
    # First the frame, then what narrows the list, then the list.
    assert order.index("/system") < len(order) - 1
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    shadow = page.evaluate("() => getComputedStyle(document.activeElement).boxShadow")
    assert (outline, shadow) != ("none", "none")  # it is seen where the focus is
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{wanted}")


def test_the_theme_is_chosen_and_kept(page: Page, follow_up: Study, tmp_path: Path) -> None:
    page.goto(study_page(follow_up))
    bright = brightness(page, tmp_path / "light.png")
    page.get_by_test_id("themes").get_by_role("link", name="dark").click()
    page.wait_for_url(f"**{study_page(follow_up)}")
    dark = brightness(page, tmp_path / "dark.png")
    assert bright > 160
    assert dark < 90
    page.goto("/")
    assert brightness(page, tmp_path / "list.png") < 60


def brightness(page: Page, path: Path) -> float:
    """Return the mean of the page's pixels, 0 black to 255 white; the picture stays at `path`."""
    page.wait_for_load_state("load")
    with Image.open(io.BytesIO(page.screenshot(path=path, full_page=True))) as picture:
        return float(np.asarray(picture.convert("L")).mean())


def test_on_paper_it_says_the_numbers_and_research_use_only(
    page: Page, follow_up: Study, tmp_path: Path
) -> None:
    page.goto(study_page(follow_up))
    tdv = page.get_by_test_id("tdv-ml").inner_text()
    gadc = page.get_by_test_id("gadc-um2-s").inner_text()
    page.emulate_media(media="print", color_scheme="dark")
    # Who reads in the dark does not print black sheets.
    assert brightness(page, tmp_path / "print.png") > 150
    expect(page.get_by_role("navigation", name="Screens")).to_be_hidden()
    printed = PdfReader(io.BytesIO(page.pdf(format="A4")))
    words = " ".join(" ".join(sheet.extract_text() for sheet in printed.pages).split())
    for text in ("RESEARCH USE ONLY", tdv, gadc, "Lumbar spine", "Osteon"):
        assert text in words
    assert len(printed.pages) <= 6


def test_without_a_script_lists_numbers_filters_and_pictures_are_there(
    chrome: Browser, system: System, follow_up: Study, rejected: Study
) -> None:
    sought = rejected.identity.patient_id.split()[0]
    context = chrome.new_context(
        base_url=system.address, viewport=SCREEN, java_script_enabled=False
    )
    try:
        page = context.new_page()
        page.goto("/")
        page.get_by_label("Find").fill(sought)
        page.get_by_role("button", name="Find").click()
        assert page.get_by_test_id("study-row").count() == 1
        page.get_by_test_id("patient").get_by_role("link").click()
        expect(page.get_by_test_id("failure-code")).to_be_visible()
        page.goto(study_page(follow_up))
        expect(page.get_by_test_id("tdv-ml")).to_be_visible()
        expect(page.get_by_test_id("turn-0")).to_be_visible()
        expect(page.get_by_test_id("turn-slider")).to_be_hidden()
    finally:
        context.close()
