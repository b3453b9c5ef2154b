"""Debian's Chromium, driven by Playwright, and a watch over what a page must not do."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"  # installed by tests/install_peers.sh; nothing is downloaded
# WebGL without a graphics card, for NiiVue; the sandbox does not work for root in a container.
_ARGUMENTS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
_TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP violation: ${event.effectiveDirective} ${event.blockedURI}`);
});
"""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser during the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watch:
    """What the pages of a context did: `faults` they must not have, `addresses` they asked for.

    A fault is a console error, an uncaught exception, a violation of the content security policy,
    a dialog, a server error, or a request to any other site than `home`.
    """

    home: str
    faults: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    titles: set[str] = field(default_factory=set)

    def follow(self, context: BrowserContext) -> None:
        context.add_init_script(_TELL_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))
        context.on("dialog", lambda dialog: (self.faults.append("a dialog"), dialog.dismiss()))
        context.on("request", lambda request: self._request(request.url))
        context.on("response", lambda answer: self._response(answer.status, answer.url))
        context.on("page", self._page)

    def forgive(self, *parts: str) -> None:
        """Drop the faults that hold one of `parts`: a test provoked them."""
        self.faults = [f for f in self.faults if not any(part in f for part in parts)]

    def _page(self, page: Page) -> None:
        page.on("domcontentloaded", lambda loaded: self.titles.add(loaded.title()))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _request(self, address: str) -> None:
        self.addresses.append(address)
        parts = urlsplit(address)
        if parts.scheme not in ("data", "blob") and f"{parts.scheme}://{parts.netloc}" != self.home:
            self.faults.append(f"a request to {parts.scheme}://{parts.netloc}")

    def _response(self, status: int, address: str) -> None:
        if status >= 500:
            self.faults.append(f"status {status} of {urlsplit(address).path}")
