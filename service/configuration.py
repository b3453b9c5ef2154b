"""The settings in force, one by one: value, where it came from, and what it is for.

`osteon config` and the console's page print these; a secret is never among them, nor its length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, SecretStr

from service.origins import variable_of
from service.sections import without_password

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

    from service.origins import Source
    from service.settings import Settings

SECRET = "(secret)"  # noqa: S105 - what stands in place of one


@dataclass(frozen=True)
class Entry:
    """One setting."""

    key: str
    """As in `osteon.toml`, dotted."""
    value: Any
    """Plain values as JSON has them; `SECRET` where one is set."""
    default: Any
    source: Source
    place: str
    """The variable, the file or the command line; empty for a default."""
    explanation: str
    variable: str
    """The variable that sets it; of a secret the one that names a file."""


@dataclass(frozen=True)
class Group:
    """The settings of one section."""

    name: str
    """As in `osteon.toml`; empty for those that stand in no section."""
    explanation: str
    entries: tuple[Entry, ...]


def groups(settings: Settings) -> tuple[Group, ...]:
    """Return every setting by section, in the order of `Settings`."""
    found = [Group("", "", tuple(_own(settings, settings, "")))]
    for name in type(settings).model_fields:
        section = getattr(settings, name)
        if isinstance(section, BaseModel):
            entries = tuple(_entries(settings, section, f"{name}."))
            found.append(Group(name, _first_line(section), entries))
    return tuple(group for group in found if group.entries)


def entries(settings: Settings) -> tuple[Entry, ...]:
    """Return every setting, by key."""
    flat = (entry for group in groups(settings) for entry in group.entries)
    return tuple(sorted(flat, key=lambda entry: entry.key))


def _entries(settings: Settings, section: BaseModel, before: str) -> Iterator[Entry]:
    yield from _own(settings, section, before)
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _entries(settings, value, f"{before}{name}.")


def _own(settings: Settings, section: BaseModel, before: str) -> Iterator[Entry]:
    shown = section.model_dump(mode="json")
    for name, known in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            continue
        key = f"{before}{name}"
        yield Entry(
            key=key,
            value=_masked(value, shown[name]),
            default=_plain(known.get_default(call_default_factory=True)),
            source=settings.origins.source(key),
            place=settings.origins.place(key),
            explanation=known.description or "",
            variable=f"{variable_of(key)}_FILE" if _is_secret(known) else variable_of(key),
        )


def _is_secret(known: FieldInfo) -> bool:
    return SecretStr in (known.annotation, *get_args(known.annotation))


def _masked(value: object, shown: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, SecretStr):
        return SECRET
    return without_password(shown) if isinstance(shown, str) else shown


def _plain(value: object) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, tuple):
        return list(value)
    if value is None or isinstance(value, bool | int | float | str | dict):
        return value
    return str(value)


def _first_line(section: BaseModel) -> str:
    return (type(section).__doc__ or "").partition("\n")[0]
