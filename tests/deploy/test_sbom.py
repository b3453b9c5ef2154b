"""What the software needs, as `make sbom` says it: all of it, in the pinned versions, no more."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """The document; the script itself holds it to CycloneDX's schema."""
    out = tmp_path_factory.mktemp("sbom") / "osteon.cdx.json"
    command = [sys.executable, PROJECT / "deploy/sbom.py", "--software", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(out.read_text(encoding="utf-8"))


def test_it_is_about_osteon(document):
    told = document["metadata"]["component"]
    assert (told["type"], told["name"]) == ("application", "osteon")
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")


def test_it_has_what_runs_with_extras_and_without_what_only_develops(document):
    names = {canonicalize_name(c["name"]) for c in document["components"]}
    assert {"pydicom", "pynetdicom", "highdicom", "torch", "fastapi", "weasyprint"} <= names
    assert {"redis", "grpcio"} <= names  # by celery[redis] and tritonclient[grpc]
    assert not {"pytest", "mypy", "ruff", "cyclonedx-bom", "playwright", "monai", "lxml"} & names


def test_each_package_has_its_pinned_version_an_address_and_a_licence(document):
    lines = (PROJECT / "constraints.txt").read_text(encoding="utf-8").split()
    pins = {canonicalize_name(n): v for n, _, v in (line.partition("==") for line in lines)}
    for one in document["components"]:
        name = canonicalize_name(one["name"])
        assert SpecifierSet(f"=={pins[name]}").contains(one["version"]), name
        assert one["purl"].lower().startswith(f"pkg:pypi/{name}@"), name
        assert one["licenses"], name


def test_who_needs_what_stands_there(document):
    graph = {entry["ref"]: entry.get("dependsOn", ()) for entry in document["dependencies"]}
    refs = {one["bom-ref"] for one in document["components"]}
    assert set(graph) <= refs
    assert {ref for needs in graph.values() for ref in needs} <= refs
    (pynetdicom,) = [ref for ref in graph if ref.startswith("pynetdicom==")]
    assert any(ref.startswith("pydicom==") for ref in graph[pynetdicom])
