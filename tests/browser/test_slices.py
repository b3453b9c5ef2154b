"""The slices of a run in a browser: pixels, positions, keys, and what a browser without WebGL sees.

Positions and values are checked against the NIfTI files of the run, read by SimpleITK.
"""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from imaging.anatomy import STRUCTURES
from tests.browser.conftest import SCREEN
from tests.browser.scenes import Study
from tests.browser.system import System

pytestmark = pytest.mark.acceptance
READY_MS = 120_000  # without a graphics card
WITHOUT_WEBGL = """
const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
  return kind === "webgl2" ? null : get.call(this, kind, ...more);
};
"""


@pytest.fixture
def files(system: System, baseline: Study) -> dict[str, Path]:
    return system.files(system.newest(baseline.uid))


@pytest.fixture
def path(system: System, baseline: Study) -> str:
    return f"/studies/{baseline.uid}/runs/{system.newest(baseline.uid).id}/slices"


@pytest.fixture
def opened(page: Page, path: str) -> Page:
    return shown(page, f"{path}?lesion=L01")


def shown(page: Page, address: str) -> Page:
    page.goto(address)
    expect(page.get_by_test_id("slices")).to_have_attribute("data-ready", "true", timeout=READY_MS)
    return page


def pixels(page: Page) -> np.ndarray:
    """What the canvas shows, (row, column, red green blue)."""
    page.wait_for_timeout(200)  # a frame is drawn after the script has ended
    image = Image.open(io.BytesIO(page.get_by_test_id("slices-canvas").screenshot()))
    return np.asarray(image.convert("RGB"), dtype=int)


def differing(one: np.ndarray, other: np.ndarray) -> int:
    return int((np.abs(one - other).sum(axis=2) > 60).sum())


def told(page: Page, name: str) -> str:
    return page.get_by_test_id(f"at-{name}").inner_text()


def place(page: Page) -> list[float]:
    return [float(value) for value in told(page, "lps").split(", ")]


def value_at(path: Path, lps: list[float]) -> float:
    image = sitk.ReadImage(str(path))
    return image.GetPixel(*image.TransformPhysicalPointToIndex(lps))


def test_the_body_is_drawn_dark_on_white_in_three_planes(opened: Page) -> None:
    seen = pixels(opened)
    assert seen.std() > 20
    grey = np.ptp(seen, axis=2) < 12
    assert (grey & (seen.mean(axis=2) > 200)).mean() > 0.15  # air, inverted
    assert (grey & (seen.mean(axis=2) < 225) & (seen.mean(axis=2) > 20)).mean() > 0.01  # tissue


def test_each_image_is_another_picture(opened: Page) -> None:
    pictures = {"high-b": pixels(opened)}
    for name in ("adc", "computed"):
        opened.get_by_test_id(f"image-{name}").check()
        pictures[name] = pixels(opened)
    assert differing(pictures["high-b"], pictures["adc"]) > 5000
    assert differing(pictures["adc"], pictures["computed"]) > 5000
    opened.get_by_test_id("image-high-b").check()
    assert differing(pictures["high-b"], pixels(opened)) < 100


def test_ticking_a_label_changes_pixels_and_unticking_brings_them_back(opened: Page) -> None:
    before = pixels(opened)
    for name in ("low", "intermediate", "high"):
        opened.get_by_test_id(f"label-{name}").uncheck()
    without = pixels(opened)
    assert differing(before, without) > 50
    for name in ("low", "intermediate", "high"):
        opened.get_by_test_id(f"label-{name}").check()
    assert differing(before, pixels(opened)) < 20


def test_a_bone_is_shown_in_its_colour(opened: Page) -> None:
    before = pixels(opened)
    opened.get_by_text("Bones", exact=True).click()
    opened.get_by_test_id("all-bones").check()
    after = pixels(opened)
    changed = np.abs(after - before).sum(axis=2) > 60
    assert changed.sum() > 200
    red, green, blue = after[changed].mean(axis=0)
    assert red > green > blue  # bones are drawn in shades of ivory


def test_opacity_takes_the_labels_away(opened: Page) -> None:
    before = pixels(opened)
    opened.get_by_test_id("label-opacity").fill("0")
    assert differing(before, pixels(opened)) > 50


def test_a_lesion_in_the_address_is_where_the_crosshair_is(
    opened: Page, files: dict[str, Path]
) -> None:
    at = place(opened)
    assert told(opened, "lesion") == "L01"
    lesions = {f["name"]: f for f in told_lesions(files)}
    assert value_at(files["lesions.nii.gz"], at) == lesions["L01"]["label"]
    assert float(told(opened, "adc")) == value_at(files["adc.nii.gz"], at)
    signal = value_at(files["high_b.nii.gz"], at)
    assert float(told(opened, "signal")) == pytest.approx(signal, abs=0.51)
    region = STRUCTURES[value_at(files["segmentation.nii.gz"], at)]
    assert told(opened, "region") == (region.title if region.label else "none")


def told_lesions(files: dict[str, Path]) -> list[dict]:
    return json.loads(files["measurements.json"].read_text())["lesions"]


def test_clicking_a_lesion_goes_there_without_a_new_page(
    opened: Page, files: dict[str, Path]
) -> None:
    if len(told_lesions(files)) < 2:
        pytest.fail("the study of the fixture needs two lesions")
    opened.evaluate("() => { window.same = true; }")
    opened.get_by_test_id("places").get_by_role("link", name="L02", exact=True).click()
    assert told(opened, "lesion") == "L02"
    assert opened.evaluate("() => window.same === true")
    assert opened.url.endswith("?lesion=L02")


def test_keys_move_the_crosshair_by_a_voxel_and_choose_the_image(opened: Page) -> None:
    canvas = opened.get_by_test_id("slices-canvas")
    canvas.focus()
    x, y, z = place(opened)
    spacing = {"PageUp": (0, 0, 10), "ArrowLeft": (-5, 0, 0), "ArrowUp": (0, -5, 0)}
    for key, step in spacing.items():
        opened.keyboard.press(key)
        x, y, z = x + step[0], y + step[1], z + step[2]
        assert place(opened) == pytest.approx([x, y, z], abs=0.2), key
    opened.keyboard.press("2")
    assert opened.get_by_test_id("image-adc").is_checked()
    opened.keyboard.press("n")
    assert told(opened, "lesion") == "L02"
    opened.keyboard.press("p")
    assert told(opened, "lesion") == "L01"
    before = pixels(opened)
    opened.keyboard.press("o")
    assert differing(before, pixels(opened)) > 20


def test_the_window_can_be_set_and_set_back(opened: Page) -> None:
    before = pixels(opened)
    highest = opened.get_by_test_id("window-high")
    usual = highest.input_value()
    highest.fill(str(float(usual) / 4))
    assert pixels(opened).mean() < before.mean() - 3  # inverted: brighter signal is darker
    opened.get_by_test_id("window-reset").click()
    assert highest.input_value() == usual
    assert differing(before, pixels(opened)) < 100


def test_probability_has_a_scale_and_a_value_at_the_crosshair(
    opened: Page, files: dict[str, Path]
) -> None:
    before = pixels(opened)
    assert opened.get_by_test_id("probability-scale").is_visible()
    chosen = "probability_skeleton.nii.gz"
    opened.get_by_test_id("probability").select_option(chosen)
    expect(opened.get_by_test_id("slices")).to_have_attribute("data-probability", chosen)
    assert differing(before, pixels(opened)) > 200
    expected = value_at(files[chosen], place(opened))
    assert float(told(opened, "probability")) == pytest.approx(expected, abs=0.011)
    opened.get_by_test_id("probability").select_option("")
    expect(opened.get_by_test_id("slices")).to_have_attribute("data-probability", "")
    assert differing(before, pixels(opened)) < 100
    assert told(opened, "probability") == "\u2013"


def test_computed_signal_is_the_models(opened: Page) -> None:
    """S(b) = S(900) exp(-(b - 900) ADC), of a few voxels, by the script that the page runs."""
    signal, adc = [1000, 800, 400, 500], [1000, 2000, 650, 0]
    volumes = opened.evaluate("() => document.querySelector('script[type=module]').src")
    made = opened.evaluate(
        "async ([address, signal, adc]) => {"
        "  const { computedSignal } = await import(address.replace('slices.js', 'volumes.js'));"
        "  return [1400, 0].map((b) => [...computedSignal(signal, adc, 900, b)]); }",
        [volumes, signal, adc],
    )
    for b, found in zip((1400, 0), made, strict=True):
        expected = np.array(signal) * np.exp(-(b - 900) * np.array(adc) * 1e-6)
        expected[3] = 0  # no valid ADC
        np.testing.assert_allclose(found, np.rint(expected), atol=0)


def test_the_archive_is_a_click_away(opened: Page) -> None:
    with opened.expect_download() as started:
        opened.get_by_test_id("archive").click()
    archive = zipfile.ZipFile(started.value.path())
    assert archive.testzip() is None
    assert any(name.endswith("/volumes/adc.nii.gz") for name in archive.namelist())


def test_a_browser_without_webgl_is_told_so_and_gets_still_images(
    chrome: Browser, system: System, path: str
) -> None:
    context = chrome.new_context(base_url=system.address, viewport=SCREEN)
    context.add_init_script(WITHOUT_WEBGL)
    try:
        page = context.new_page()
        page.goto(path)
        expect(page.get_by_test_id("viewer-state")).to_contain_text("no WebGL 2")
        assert page.get_by_test_id("still").first.is_visible()
        assert not page.get_by_test_id("slices").is_visible()
    finally:
        context.close()


def test_a_browser_without_scripts_gets_still_images(
    chrome: Browser, system: System, path: str
) -> None:
    context = chrome.new_context(
        base_url=system.address, viewport=SCREEN, java_script_enabled=False
    )
    try:
        page = context.new_page()
        page.goto(path)
        assert "needs JavaScript" in page.get_by_test_id("viewer-state").inner_text()
        assert page.get_by_test_id("still").first.is_visible()
    finally:
        context.close()


def test_the_viewer_comes_from_this_host_and_on_this_page_only(
    page: Page, path: str, watch
) -> None:
    page.goto("/")
    assert not [a for a in watch.addresses if "niivue" in a]
    shown(page, path)
    assert len([a for a in watch.addresses if "niivue" in a]) == 1
