"""Where the value of each setting came from: names of keys and variables, never values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Source(StrEnum):
    """The layers, the strongest first."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True)
class Origins:
    """Dotted keys that each layer gave, as `node.port`."""

    flags: frozenset[str] = frozenset()
    environment: frozenset[str] = frozenset()
    file: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    """Names of the variables, in upper case."""
    file_name: str = ""

    def source(self, key: str) -> Source:
        """Return the layer whose value counts."""
        layers = (
            (Source.FLAG, self.flags),
            (Source.ENVIRONMENT, self.environment),
            (Source.FILE, self.file),
        )
        return next((source for source, keys in layers if key in keys), Source.DEFAULT)

    def place(self, key: str) -> str:
        """Return the flag, the variable or the file that gave the value; empty for a default."""
        return {
            Source.FLAG: "command line",
            Source.ENVIRONMENT: self._variable(key),
            Source.FILE: self.file_name,
            Source.DEFAULT: "",
        }[self.source(key)]

    def _variable(self, key: str) -> str:
        """Return the variable: of the key, of a file that holds it, or of a group in JSON."""
        variable = variable_of(key)
        while variable not in self.variables and f"{variable}_FILE" not in self.variables:
            shorter = variable.rpartition("__")[0]
            if not shorter:
                return variable_of(key)
            variable = shorter
        return variable if variable in self.variables else f"{variable}_FILE"


def variable_of(key: str) -> str:
    """Return the variable of a key: OSTEON_NODE__PORT of node.port."""
    return f"OSTEON_{key.upper().replace('.', '__')}"


def keys_of(document: Mapping[str, Any]) -> frozenset[str]:
    """Return the dotted keys of nested tables, those of the tables included."""
    return frozenset(_keys(document, ""))


def _keys(document: Mapping[str, Any], before: str) -> Iterator[str]:
    for name, value in document.items():
        yield f"{before}{name}"
        if isinstance(value, Mapping):
            yield from _keys(value, f"{before}{name}.")
