"""The rotating projections: the slider turns both bodies, the switch colours the disease."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.scenes import Study
from tests.browser.screens import study_page

pytestmark = pytest.mark.acceptance


@pytest.fixture
def turning(page: Page, follow_up: Study) -> Page:
    page.goto(study_page(follow_up))
    page.wait_for_load_state("networkidle")  # both pictures of both studies are there
    return page


def test_this_study_and_the_earlier_one_turn_together(turning: Page) -> None:
    expect(turning.get_by_test_id("turn-1")).to_be_attached()
    front = bodies(turning)
    assert all(picture.std() > 5 for picture in front)  # something is drawn
    turning.get_by_test_id("turn-slider").fill("20")
    expect(turning.get_by_test_id("turn-angle")).to_have_text("60°")
    turned = bodies(turning)
    turning.get_by_test_id("turn-slider").fill("0")
    back = bodies(turning)
    for before, after, again in zip(front, turned, back, strict=True):
        assert not np.array_equal(before, after)
        assert np.array_equal(before, again)


def test_arrow_keys_turn_it_too(turning: Page) -> None:
    turning.get_by_test_id("turn-slider").focus()
    turning.keyboard.press("ArrowRight")
    turning.keyboard.press("ArrowRight")
    expect(turning.get_by_test_id("turn-angle")).to_have_text("6°")


def test_disease_is_coloured_or_not(turning: Page) -> None:
    turning.locator("#layer-overlay").check()
    coloured = bodies(turning)
    turning.locator("#layer-plain").check()
    plain = bodies(turning)
    assert [n_coloured(body) for body in plain] == [0, 0]
    assert min(n_coloured(body) for body in coloured) > 20


def bodies(page: Page) -> tuple[np.ndarray, np.ndarray]:
    """Return what is seen of this study and of the earlier one: (row, column, red green blue)."""
    drawn = page.get_by_test_id("turning").locator("svg.bodies").screenshot()
    with Image.open(io.BytesIO(drawn)) as picture:
        inside = np.asarray(picture.convert("RGB")).astype(int)[4:-4, 4:-4]
    half = inside.shape[1] // 2
    return inside[:, :half], inside[:, half:]


def n_coloured(picture: np.ndarray) -> int:
    return int(np.count_nonzero(np.ptp(picture, axis=2) > 60))
