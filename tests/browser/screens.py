"""The screens of the console by name, and where they are."""

from collections.abc import Mapping

from tests.browser.scenes import Study
from tests.browser.system import System

NAMES = ("studies", "study", "slices", "rejected", "system", "settings", "docs")


def study_page(study: Study) -> str:
    return f"/studies/{study.uid}"


def slices_page(system: System, study: Study) -> str:
    return f"{study_page(study)}/runs/{system.newest(study.uid).id}/slices"


def address(name: str, system: System, studies: Mapping[str, Study]) -> str:
    """Return the path of a screen; `studies` are a measured and a rejected one."""
    if name == "slices":
        return slices_page(system, studies["follow_up"])
    return {
        "studies": "/",
        "study": study_page(studies["follow_up"]),
        "rejected": study_page(studies["rejected"]),
        "system": "/system",
        "settings": "/settings",
        "docs": "/docs",
    }[name]
