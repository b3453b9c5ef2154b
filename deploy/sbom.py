r"""Say what is in images, as CycloneDX 1.6 in JSON: Python packages and Debian packages.

    python deploy/sbom.py IMAGES OUT

IMAGES has a folder for each image, with the image's name in the file `image`, what its `dpkg-query
--show --showformat='${Package}\t${Version}\t${Architecture}\n'` prints in the file `debian`, and,
where it has Python packages, a copy of their folder under the name `packages`. A document goes to
OUT under the folder's name. cyclonedx-py reads the Python packages (licences included); every
document is held to CycloneDX's schema.
"""

# ruff: noqa: INP001 - a script of the release, not a package

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

_FORM = "1.6"


def python_packages(site_packages: Path) -> dict[str, Any]:
    """Return cyclonedx-py's document of the packages in one folder."""
    with tempfile.TemporaryDirectory() as folder:
        # It asks an interpreter for its path; that of another machine's image cannot run here.
        answer = shlex.quote(json.dumps([str(site_packages.resolve())]))
        interpreter = Path(folder) / "python"
        interpreter.write_text(f"#!/bin/sh\nprintf %s {answer}\n", encoding="utf-8")
        interpreter.chmod(0o700)
        program = [sys.executable, "-m", "cyclonedx_py", "environment", "--spec-version", _FORM]
        options = ["--output-reproducible", "--gather-license-texts", "--output-format", "JSON"]
        done = subprocess.run(  # noqa: S603 - our own interpreter, no shell
            [*program, *options, str(interpreter)], check=True, capture_output=True, text=True
        )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def debian_packages(listing: str) -> list[dict[str, Any]]:
    """Return a component for each line of dpkg-query."""
    components = []
    for line in listing.splitlines():
        name, version, architecture = line.split("\t")
        url = PackageURL("deb", "debian", name, version, {"arch": architecture}).to_string()
        found = {"type": "library", "name": name, "version": version, "purl": url, "bom-ref": url}
        components.append(found)
    return components


def bill(image: str, site_packages: Path | None, listing: str) -> dict[str, Any]:
    """Return the document of one image.

    Raises:
        ValueError: it is not what CycloneDX's schema asks for.

    """
    empty: dict[str, Any] = {"bomFormat": "CycloneDX", "specVersion": _FORM, "version": 1}
    document = empty if site_packages is None else python_packages(site_packages)
    document.setdefault("components", []).extend(debian_packages(listing))
    name, _, tag = image.rpartition(":")
    document.setdefault("metadata", {})["component"] = {
        "type": "container",
        "name": name or tag,
        "version": tag,
        "bom-ref": image,
    }
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    if wrong is not None:
        message = f"the bill of {image} does not keep to CycloneDX {_FORM}: {wrong.data}"
        raise ValueError(message)
    return document


def main() -> None:
    """Write a document for each image."""
    asked = argparse.ArgumentParser(description="Say what is in images, as CycloneDX.")
    asked.add_argument("images", type=Path)
    asked.add_argument("out", type=Path)
    given = asked.parse_args()
    for folder in sorted(given.images.iterdir()):
        packages = folder / "packages"
        image, listing = (
            (folder / name).read_text(encoding="utf-8") for name in ("image", "debian")
        )
        document = bill(image.strip(), packages if packages.is_dir() else None, listing)
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        (given.out / f"{folder.name}.cdx.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
