"""The screens of the console, one line each, and how they come into the application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.console import (
    api_docs,
    appearance,
    chosen,
    configuration,
    links,
    live,
    slices,
    studies,
    study,
    study_actions,
    system,
)
from service.console.assets import MOUNTED_AT, Assets
from service.console.pace import KnownPace

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI


@dataclass(frozen=True)
class Screen:
    """Routes of one module; with a title they stand in the navigation."""

    router: APIRouter
    title: str = ""
    address: str = ""


SCREENS: tuple[Screen, ...] = (
    Screen(studies.router, "Studies", "/"),
    Screen(study.router),
    Screen(study_actions.router),
    Screen(slices.router),
    Screen(live.router),
    Screen(links.router),
    Screen(chosen.router),
    Screen(system.router, "System", "/system"),
    Screen(configuration.router, "Settings", "/settings"),
    Screen(appearance.router),
    Screen(api_docs.router),
)


def install(app: FastAPI) -> None:
    """Put the screens, their files and the navigation into the application."""
    for screen in SCREENS:
        app.include_router(screen.router)
    app.mount(MOUNTED_AT, Assets(), name="static")
    app.state.pace = KnownPace()
    app.state.navigation = tuple((s.title, s.address) for s in SCREENS if s.title)
