"""The report as PDF/A-3u: the page that `report.page` writes, laid out by WeasyPrint.

Nothing is fetched: style sheet and fonts come from this package, pictures from the page, and any
other address ends the rendering. Nothing varies: dates are the run's, the file's identifier is
made from its content. WeasyPrint needs Pango and HarfBuzz, libraries of the system; where they are
missing there is no PDF, and a sentence says so.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from report.lettering import font_bytes
from report.page import DENSITIES, report_html

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from report.page import Page

VARIANT = "pdf/a-3u"
_OPTIONS = {"pdf_variant": VARIANT, "presentational_hints": True}
_BASE = "osteon:/"
_MEDIA_TYPES = {"css": "text/css", "ttf": "font/ttf", "png": "image/png"}
_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


class ReportLibraryMissing(Exception):  # noqa: N818 - it names the condition
    """The PDF cannot be made on this machine: a library of the system is missing."""

    code = "REPORT_LIBRARY"


class UnknownAddress(Exception):  # noqa: N818
    """The page refers to something that is not its own; nothing was fetched."""

    code = "REPORT_ADDRESS"


def require_library() -> None:
    """Load what the PDF is made with.

    Raises:
        ReportLibraryMissing: it cannot be loaded.

    """
    _weasyprint()


def report_pdf(page: Page) -> bytes:
    """Return the page as PDF/A-3u; equal pages give equal bytes.

    Raises:
        ReportLibraryMissing: a library of the system is missing.
        UnknownAddress: the page refers to something that is not its own.

    """
    weasyprint = _weasyprint()
    try:
        return _laid_out(page)
    except weasyprint.urls.FatalURLFetchingError:  # a BaseException, which no caller expects
        message = "the report refers to an address that is not its own; nothing was fetched"
        raise UnknownAddress(message) from None


def _laid_out(page: Page) -> bytes:
    """Lay the page out with the largest projections that leave room for all else."""
    known = _packaged() | {figure.name: figure.png for figure in page.figures}
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its colour profile open
        for density in DENSITIES:
            html = report_html(page, density)
            source = _weasyprint().HTML(string=html, base_url=_BASE, url_fetcher=_fetcher(known))
            laid_out = source.render(**_OPTIONS)
            if len(laid_out.pages) == 1:
                break
        digest = hashlib.sha256(html.encode() + b"".join(f.png for f in page.figures)).hexdigest()
        laid_out.write_pdf(file, pdf_identifier=digest[:32].encode(), **_OPTIONS)
        del laid_out
    return file.getvalue()


@cache
def _weasyprint() -> ModuleType:
    try:
        import weasyprint  # noqa: PLC0415 - it loads libraries of the system, which may be missing
    except (ImportError, OSError) as error:
        message = (
            "The PDF report cannot be made: a library that WeasyPrint needs is missing on this "
            f"machine; install {_PACKAGES} and restart the worker."
        )
        raise ReportLibraryMissing(message) from error
    loaded: ModuleType = weasyprint
    return loaded


def _packaged() -> dict[str, bytes]:
    css = files("report").joinpath("templates", "page.css").read_bytes()
    fonts = {"fonts/regular.ttf": font_bytes(bold=False), "fonts/bold.ttf": font_bytes(bold=True)}
    return {"page.css": css, **fonts}


def _fetcher(known: Mapping[str, bytes]) -> Any:  # noqa: ANN401 - of an untyped library
    """Return what gives WeasyPrint the files that it asks for, and refuses every other address."""
    urls = _weasyprint().urls

    def fetch(_self: object, url: str, _headers: object = None) -> Any:  # noqa: ANN401
        name = url.removeprefix(_BASE)
        if name not in known:
            message = "a report refers to its own files only"
            raise ValueError(message)
        kind = _MEDIA_TYPES[name.rpartition(".")[2]]
        return urls.URLFetcherResponse(url, known[name], {"Content-Type": kind})

    packaged = type("Packaged", (urls.URLFetcher,), {"fetch": fetch})
    return packaged(fail_on_errors=True)
