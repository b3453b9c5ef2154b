"""Which models of the repository a service asks, by its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.model_section import NO_LIST, RULE

if TYPE_CHECKING:
    from pathlib import Path

    from service.settings import Settings

FOCAL = "focal"
_DECLARATION = "osteon.json"


def disease_folder(settings: Settings) -> Path | None:
    """Return the folder of the disease network; None where the rule decides."""
    name = settings.models.disease
    return _repository(settings) / name if name and name != RULE else None


def focal_folder(settings: Settings) -> Path | None:
    """Return the folder of the focal network; None where focal lesions are not listed.

    By default it is "focal" where the repository has one: a repository of other models goes
    without the list, while a name that is given must be there.
    """
    name, folder = settings.models.focal, _repository(settings)
    if name is None:
        return folder / FOCAL if (folder / FOCAL / _DECLARATION).is_file() else None
    return folder / name if name and name != NO_LIST else None


def model_folders(settings: Settings) -> tuple[Path, ...]:
    """Return the folders of all models that are asked: anatomy, disease, focal."""
    anatomy = _repository(settings) / settings.models.anatomy
    others = (disease_folder(settings), focal_folder(settings))
    return (anatomy, *(folder for folder in others if folder is not None))


def _repository(settings: Settings) -> Path:
    return settings.models.repository.absolute()
