r"""Say what is in images, or what the software itself needs, as CycloneDX 1.6 in JSON.

    python deploy/sbom.py IMAGES OUT          Python packages and Debian packages of each image
    python deploy/sbom.py --software FILE     the pinned Python packages of node, worker and api

IMAGES has a folder for each image, with the image's name in the file `image`, what its `dpkg-query
--show --showformat='${Package}\t${Version}\t${Architecture}\n'` prints in the file `debian`, and,
where it has Python packages, a copy of their folder under the name `packages`. A document goes to
OUT under the folder's name. cyclonedx-py reads the Python packages (licences included); every
document is held to CycloneDX's schema. The software's packages are read from the environment that
runs this (`make sbom`), which has to have the versions of constraints.txt.
"""

# ruff: noqa: INP001 - a script of the release, not a package

from __future__ import annotations

import argparse
import importlib.metadata
import json
import shlex
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from requirements import PYPROJECT, requirements

_FORM = "1.6"
_PROCESSES = ("node", "worker", "api", "tracing")


def python_packages(site_packages: Path) -> dict[str, Any]:
    """Return cyclonedx-py's document of the packages in one folder."""
    with tempfile.TemporaryDirectory() as folder:
        # It asks an interpreter for its path; that of another machine's image cannot run here.
        answer = shlex.quote(json.dumps([str(site_packages.resolve())]))
        interpreter = Path(folder) / "python"
        interpreter.write_text(f"#!/bin/sh\nprintf %s {answer}\n", encoding="utf-8")
        interpreter.chmod(0o700)
        program = [sys.executable, "-m", "cyclonedx_py", "environment", "--spec-version", _FORM]
        # `_whole` holds it to the schema.
        options = ["--output-reproducible", "--gather-license-texts", "--no-validate"]
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
    return _whole(document, "container", name or tag, tag)


def software_bill() -> dict[str, Any]:
    """Return the document of what our processes need, without what development needs besides.

    Raises:
        ValueError: this environment has another version than constraints.txt says.

    """
    document = python_packages(Path(sysconfig.get_paths()["purelib"]))
    wanted, pins = needed(requirements(*_PROCESSES)), _pins()
    components = [c for c in document["components"] if canonicalize_name(c["name"]) in wanted]
    for one in components:
        pin = pins.get(canonicalize_name(one["name"]))
        if pin is None or not SpecifierSet(f"=={pin}").contains(one["version"]):
            message = f"{one['name']} is {one['version']} here and {pin} in constraints.txt"
            raise ValueError(message)
        # One that was installed from elsewhere than an index gets none.
        one.setdefault("purl", PackageURL("pypi", None, one["name"], one["version"]).to_string())
    kept = {one["bom-ref"] for one in components}
    graph = [entry for entry in document.get("dependencies", ()) if entry["ref"] in kept]
    for entry in graph:
        entry["dependsOn"] = [ref for ref in entry.get("dependsOn", ()) if ref in kept]
    document |= {"components": components, "dependencies": graph}
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    return _whole(document, "application", project["name"], project["version"])


def needed(lines: list[str]) -> set[str]:
    """Return the names of all packages that these requirements bring in, by their metadata."""
    waiting = [Requirement(line) for line in lines]
    seen: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.pop()
        for extra in ("", *wanted.extras):
            key = (canonicalize_name(wanted.name), extra)
            if key in seen:
                continue
            seen.add(key)
            told = (Requirement(line) for line in importlib.metadata.requires(key[0]) or ())
            waiting += [r for r in told if r.marker is None or r.marker.evaluate({"extra": extra})]
    return {name for name, _ in seen}


def _pins() -> dict[str, str]:
    lines = (PYPROJECT.parent / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {canonicalize_name(name): version.split(";")[0].strip() for name, version in pairs}


def _whole(document: dict[str, Any], kind: str, name: str, version: str) -> dict[str, Any]:
    """Say whose document it is, and hold it to the schema."""
    document.setdefault("metadata", {})["component"] = {
        "type": kind,
        "name": name,
        "version": version,
        "bom-ref": f"{name}:{version}",
    }
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    if wrong is not None:
        message = f"the bill of {name} does not keep to CycloneDX {_FORM}: {wrong.data}"
        raise ValueError(message)
    return document


def main() -> None:
    """Write a document for each image, or the software's."""
    asked = argparse.ArgumentParser(description="Say what is in images, as CycloneDX.")
    asked.add_argument("--software", type=Path, metavar="FILE")
    asked.add_argument("images", type=Path, nargs="?")
    asked.add_argument("out", type=Path, nargs="?")
    given = asked.parse_args()
    if given.software is not None:
        document = software_bill()
        _write(given.software, document)
        sys.stdout.write(f"{len(document['components'])} packages in {given.software}\n")
        return
    if given.out is None:
        asked.error("name the folder of the images and the one for their documents")
    for folder in sorted(given.images.iterdir()):
        packages = folder / "packages"
        image, listing = (
            (folder / name).read_text(encoding="utf-8") for name in ("image", "debian")
        )
        document = bill(image.strip(), packages if packages.is_dir() else None, listing)
        _write(given.out / f"{folder.name}.cdx.json", document)


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
