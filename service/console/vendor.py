"""What of other people's work the console serves: name, version, licence, files and their hashes.

The files lie in `static/vendor/` as their packages ship them; `VENDOR.toml` there is the list.
"""

from __future__ import annotations

import base64
import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VENDOR = Path(__file__).parent / "static" / "vendor"


@dataclass(frozen=True)
class Vendored:
    """One package of the npm registry, as it was taken."""

    name: str
    version: str
    licence: str
    """SPDX identifier."""
    integrity: str
    """Of the package's archive, as the registry states it (sha512, base64)."""
    homepage: str
    files: Mapping[str, str]
    """Path below `static/vendor/` to its hash (`integrity_of`)."""


@cache
def vendored() -> tuple[Vendored, ...]:
    """Return the list, in the order of `VENDOR.toml`."""
    document = tomllib.loads((VENDOR / "VENDOR.toml").read_text(encoding="utf-8"))
    return tuple(
        Vendored(**{**row, "files": MappingProxyType(row["files"])}) for row in document["package"]
    )


def integrity_of(path: Path) -> str:
    """Return the hash of a file as browsers and npm write it: sha512- and base64."""
    digest = hashlib.sha512(path.read_bytes()).digest()
    return "sha512-" + base64.b64encode(digest).decode("ascii")


def notices() -> str:
    """Return the notices of everything in the list: who made it, and its licence as it was shipped.

    `python -m service.console.vendor` writes it into `THIRD_PARTY_NOTICES.txt`; a test compares.
    """
    parts = ["What Osteon serves of other people's work, unchanged, with its licences.\n"]
    for package in vendored():
        title = f"{package.name} {package.version} ({package.licence}), {package.homepage}"
        parts.append(f"{'=' * 80}\n{title}\n{'=' * 80}\n")
        parts += [_read(name) for name in package.files if _is_notice(name)]
    return "\n".join(parts)


_TEXTS = frozenset({"LICENSE", "NOTICE", "BUNDLED"})


def _is_notice(name: str) -> bool:
    """Tell a licence from code: of one package, or of what a bundle holds."""
    return Path(name).stem in _TEXTS or name.endswith(".LICENSE.txt")


def _read(name: str) -> str:
    lines = (VENDOR / name).read_text(encoding="utf-8").splitlines()
    return "\n".join(line.rstrip() for line in lines).strip() + "\n"


if __name__ == "__main__":
    (VENDOR / "THIRD_PARTY_NOTICES.txt").write_text(notices(), encoding="utf-8")
