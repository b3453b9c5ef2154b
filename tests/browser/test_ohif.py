"""OHIF's build from npm, on a site of its own, opens a measured study with its segmentation."""

import io
from collections.abc import Iterator
from urllib.parse import urlsplit

import highdicom as hd
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.peers import Service, free_port, wait_for
from tests.browser.conftest import SCREEN
from tests.browser.ohif import OHIF, served_ohif
from tests.browser.scenes import Study
from tests.browser.system import System

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1200)]
READY_MS = 180_000  # without a graphics card
PICTURE = '[data-cy="viewport-pane"] canvas.cornerstone-canvas'  # others draw thumbnails
SERIES = "9001"  # the first station's segmentation (docs/results.md)


@pytest.fixture(scope="module")
def sites(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Addresses of OHIF, and of a web server beside the system's own that lets its pages ask."""
    if not OHIF.is_dir():
        pytest.fail(f"{OHIF} is not there; run tests/install_peers.sh")
    folder = tmp_path_factory.mktemp("viewer")
    viewer, api = free_port(), free_port()
    text = system.service.settings.read_text()
    own = f"[api]\nport = {system.api_port}\n"
    assert own in text
    settings = folder / "osteon.toml"
    settings.write_text(
        text.replace(own, f"[api]\nport = {api}\n")
        + f'[dicomweb]\norigins = ["http://127.0.0.1:{viewer}"]\n'
    )
    service = Service(folder, settings, system.service.node_port)
    beside = System(service, system.pacs, api, system.store)
    try:
        beside.start("api")
        with served_ohif(viewer, f"{beside.address}/dicom-web") as ohif:
            yield ohif, beside.address
    finally:
        service.stop()


@pytest.fixture
def viewer(chrome: Browser, sites: tuple[str, str]) -> Iterator[Page]:
    """A page of OHIF; at its end no request went to any other site, and none failed at ours."""
    ohif, osteon = sites
    context = chrome.new_context(base_url=ohif, viewport=SCREEN)
    elsewhere: list[str] = []
    failed: list[str] = []

    def asked(address: str) -> None:
        site = urlsplit(address)
        if site.scheme not in ("data", "blob") and not address.startswith(sites):
            elsewhere.append(site.netloc)

    context.on("request", lambda request: asked(request.url))
    context.on(
        "response",
        lambda a: failed.append(a.url) if a.url.startswith(osteon) and a.status >= 400 else None,
    )
    yield context.new_page()
    context.close()
    assert elsewhere == []
    assert failed == []


def test_ohif_lists_the_study_and_shows_its_segmentation(
    viewer: Page, system: System, baseline: Study
) -> None:
    viewer.goto("/")
    row = viewer.get_by_text(baseline.identity.accession_number)  # the patient may have two
    expect(row).to_be_visible(timeout=READY_MS)
    viewer.goto(f"/viewer?StudyInstanceUIDs={baseline.uid}")
    expect(viewer.locator(PICTURE).first).to_be_visible(timeout=READY_MS)
    skip_the_tour(viewer)
    opened = viewer.locator(f'[data-series="{SERIES}"]')
    opened.scroll_into_view_if_needed(timeout=READY_MS)
    opened.dblclick()
    viewer.locator('[data-cy="yes-hydrate-btn"]').click(timeout=READY_MS)
    viewer.locator('[data-cy="panelSegmentation-btn"]').click()
    rows = viewer.locator('[data-cy="data-row"]')
    seg = hd.seg.segread(system.files(system.newest(baseline.uid))["seg_1.dcm"])
    expect(rows).to_have_count(seg.number_of_segments, timeout=READY_MS)
    described = [seg.get_segment_description(n) for n in seg.segment_numbers]
    shown = [text.strip() for text in rows.all_inner_texts()]
    for number, one in enumerate(described):
        assert one.segment_label in shown[number]
    lesions = [n for n, one in enumerate(described) if "lesion" in one.segment_label]
    largest = max(lesions, key=lambda n: voxels(seg, n + 1))
    rows.nth(largest).click()  # it goes to the slice in its middle
    wait_for("the lesion's red in the picture", lambda: red(viewer) > 20, READY_MS / 1000)


def skip_the_tour(page: Page) -> None:
    page.wait_for_timeout(3000)  # it begins a moment after the first picture
    skip = page.get_by_text("Skip all")
    if skip.count():
        skip.first.click()


def red(page: Page) -> int:
    """Return how many pixels of the picture are red: nothing else in OHIF's viewport is."""
    canvas = page.locator(PICTURE).first.screenshot()
    seen = np.asarray(Image.open(io.BytesIO(canvas)).convert("RGB"), dtype=int)
    return int(((seen[..., 0] > 180) & (seen[..., 1:].max(axis=2) < 90)).sum())


def voxels(seg: hd.seg.Segmentation, segment: int) -> int:
    """Return how many voxels a segment has, counted in the file."""
    frames = seg.pixel_array
    numbers = [
        f.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        for f in seg.PerFrameFunctionalGroupsSequence
    ]
    return sum(int(frame.sum()) for frame, n in zip(frames, numbers, strict=True) if n == segment)
