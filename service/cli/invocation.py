"""What every command shares: its settings, how it ends, and how it speaks."""

from __future__ import annotations

import contextlib
import json
import sys
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from service.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


class Exit(IntEnum):
    """What the exit status says to the program that called (docs/architecture.md, section 6)."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    REJECTED = 3
    PARTIAL = 4


@dataclass(frozen=True)
class Invocation:
    """The options that stand before the command."""

    config_file: Path | None = None
    data_dir: Path | None = None
    assignments: Sequence[str] = field(default_factory=tuple)

    def settings(self) -> Settings:
        """Read the settings, or end the program with a sentence that says what is wrong."""
        try:
            return load_settings(self._flags(), self.config_file)
        except SettingsError as error:
            stop(str(error), Exit.USAGE)

    def arguments(self) -> list[str]:
        """Return the same options for a process of our own."""
        given: list[str] = []
        if self.config_file is not None:
            given += ["--config", str(self.config_file)]
        if self.data_dir is not None:
            given += ["--data", str(self.data_dir)]
        for assignment in self.assignments:
            given += ["--set", assignment]
        return given

    def _flags(self) -> dict[str, Any]:
        flags: dict[str, Any] = {}
        for assignment in self.assignments:
            key, equals, text = assignment.partition("=")
            if not equals:
                stop(f"--set {assignment}: write KEY=VALUE, as in node.port=11112", Exit.USAGE)
            _put(flags, key.split("."), _value(text))
        if self.data_dir is not None:
            flags["data_dir"] = self.data_dir
        return flags


def invocation(context: typer.Context) -> Invocation:
    """Return the options that the program was called with."""
    given = context.obj
    return given if isinstance(given, Invocation) else Invocation()


def stop(message: str, status: Exit = Exit.ERROR, **details: object) -> NoReturn:
    """End the program with one sentence on stderr."""
    extra = "".join(f"\n  {key}: {value}" for key, value in details.items())
    typer.echo(f"osteon: {message}{extra}", err=True)
    raise typer.Exit(int(status))


def print_json(document: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write data for programs to stdout."""
    json.dump(document, sys.stdout, indent=2, default=str, ensure_ascii=False)
    sys.stdout.write("\n")


@contextlib.contextmanager
def explained(*kinds: type[Exception], status: Exit = Exit.ERROR) -> Iterator[None]:
    """End the program with the error's own sentence and code where one of `kinds` is raised."""
    try:
        yield
    except kinds as error:
        stop(f"{error} [{getattr(error, 'code', type(error).__name__)}]", status)


def _put(flags: dict[str, Any], path: Sequence[str], value: Any) -> None:  # noqa: ANN401 - any JSON
    for part in path[:-1]:
        flags = flags.setdefault(part, {})
    flags[path[-1]] = value


def _value(text: str) -> Any:  # noqa: ANN401 - any JSON, else the text itself
    try:
        return json.loads(text)
    except ValueError:
        return text
