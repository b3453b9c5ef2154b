"""`deploy/bundle.sh` and `install.sh --offline`: digests, tampering, and what is in an image.

The engine's part is a stand-in that writes what it is asked to save; the rest is real.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

PROJECT = Path(__file__).parents[2]
# An image's packages are those of this environment, its Debian packages two of a list.
ENGINE = r"""#!/usr/bin/env bash
here=$(dirname "$0")
case "$*" in
  --version) echo "Docker version 28.2.2" ;;
  "compose version"*) echo 2.29.1 ;;
  info) ;;
  "image inspect"*) ! grep -qxF "${*: -1}" "$here/missing" ;;
  *"--entrypoint dpkg-query"*osteon*)
    printf 'libc6\t2.36-9+deb12u10\tamd64\ntzdata\t2025b-0+deb12u2\tall\n' ;;
  *"--entrypoint dpkg-query"*) exit 127 ;;
  create*osteon-worker*) echo ours ;;
  create*) echo theirs ;;
  "cp ours:"*) mkdir "${*: -1}"; cp -r "$PACKAGES"/pydicom-* "$PACKAGES"/numpy-* "${*: -1}" ;;
  cp*) exit 1 ;;
  rm*) ;;
  save*) while [ "$1" != --output ]; do shift; done; target=$2; shift 2; echo "$@" >"$target" ;;
  load*) echo "${*: -1}" >"$here/loaded" ;;
  *) echo "not expected: $*" >&2; exit 9 ;;
esac
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A copy of what is bundled, and an engine."""
    folder = tmp_path_factory.mktemp("site")
    leave = shutil.ignore_patterns("secrets", ".env", "backups", "__pycache__", "images")
    for name in ("deploy", "docs"):
        shutil.copytree(PROJECT / name, folder / name, ignore=leave)
    for name in ("LICENSE", "CHANGELOG.md"):
        shutil.copy(PROJECT / name, folder)
    (folder / "model_repository/anatomy/1").mkdir(parents=True)
    (folder / "model_repository/anatomy/1/model.pt").write_bytes(b"weights")
    (folder / "deploy/.env").write_text("STACK_VERSION=9.9\n")
    (folder / "deploy/secrets").mkdir()
    (folder / "deploy/secrets/redis_password").write_text("s3cret")
    tools = folder / "bin"
    tools.mkdir()
    (tools / "docker").write_text(ENGINE)
    (tools / "docker").chmod(0o755)
    (tools / "missing").write_text("")
    return folder


def call(site, program, *arguments):
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {
        "PATH": f"{site / 'bin'}:{os.environ['PATH']}",
        "PYTHON": sys.executable,
        "PACKAGES": packages,
    }
    return subprocess.run(
        [program, *map(str, arguments)],
        cwd=site,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def whole(site):
    """A bundle, made once."""
    done = call(site, "deploy/bundle.sh", "-o", "bundle", "--profiles", "monitoring")
    assert done.returncode == 0, done.stdout + done.stderr
    return site / "bundle"


@pytest.fixture
def bundle(whole, tmp_path):
    """A copy to be damaged."""
    shutil.copytree(whole, tmp_path / "bundle")
    return tmp_path / "bundle"


def offline(site, bundle):
    return call(site, bundle / "deploy/install.sh", "--check", "--offline", bundle)


def test_it_has_everything_and_no_secret(whole):
    present = {str(path.relative_to(whole)) for path in whole.rglob("*") if path.is_file()}
    wanted = {
        "images.tar",
        "images.txt",
        "SHA256SUMS",
        "deploy/compose.yaml",
        "deploy/.env.example",
        "deploy/install.sh",
        "deploy/stack.sh",
        "deploy/redis/start.sh",
        "model_repository/anatomy/1/model.pt",
        "docs/architecture.md",
        "sbom/osteon-worker-9.9.cdx.json",
        "LICENSE",
    }
    assert wanted <= present
    assert not {"deploy/.env", "deploy/secrets/redis_password"} & present
    images = (whole / "images.txt").read_text().split()
    assert (whole / "images.tar").read_text().split() == images
    assert "localhost/osteon-node:9.9" in images
    assert any("grafana" in image for image in images)
    assert not any("triton" in image for image in images)
    assert len(list((whole / "sbom").iterdir())) == len(images)


def test_every_file_is_under_a_digest(whole):
    done = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=whole, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    listed = {line.rpartition(": ")[0] for line in done.stdout.splitlines()}
    files = {str(p.relative_to(whole)) for p in whole.rglob("*") if p.is_file()}
    assert files - listed == {"SHA256SUMS"}


def test_the_bill_of_an_image_names_its_packages_by_the_schema(whole):
    text = (whole / "sbom/osteon-worker-9.9.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    assert document["metadata"]["component"]["name"] == "localhost/osteon-worker"
    found = {c["name"]: c for c in document["components"]}
    assert found.keys() == {"pydicom", "numpy", "libc6", "tzdata"}
    assert found["libc6"]["purl"] == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64"
    assert found["pydicom"]["purl"].startswith("pkg:pypi/pydicom@")
    assert "MIT" in str(found["pydicom"]["licenses"])


def test_a_bill_that_breaks_the_schema_is_not_written(tmp_path):
    folder = tmp_path / "images/x-1"
    folder.mkdir(parents=True)
    (folder / "image").write_text("x:1\n")
    (folder / "debian").write_text("a\t1\tall\na\t1\tall\n")  # one component twice
    command = [sys.executable, PROJECT / "deploy/sbom.py", tmp_path / "images", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "does not keep to CycloneDX" in done.stderr
    assert not list(tmp_path.glob("*.json"))


def test_a_sound_bundle_is_loaded(site, bundle):
    done = offline(site, bundle)
    assert "not as it was written" not in done.stderr
    assert (site / "bin/loaded").read_text().strip() == str(bundle / "images.tar")
    assert "ok       BUNDLE" in done.stdout


@pytest.mark.parametrize(
    "name", ["images.tar", "model_repository/anatomy/1/model.pt", "deploy/compose.yaml"]
)
def test_a_changed_file_is_named_and_nothing_is_loaded(site, bundle, name):
    (site / "bin/loaded").unlink(missing_ok=True)
    with (bundle / name).open("a") as file:
        file.write("x")
    done = offline(site, bundle)
    assert done.returncode == 1
    assert f"{name} of {bundle} is not as it was written" in done.stderr
    assert "[BUNDLE_DAMAGED]" in done.stderr
    assert not (site / "bin/loaded").exists()


def test_a_missing_file_is_named(site, bundle):
    (bundle / "docs/architecture.md").unlink()
    assert "docs/architecture.md of" in offline(site, bundle).stderr


def test_a_list_that_was_changed_does_not_pass(site, bundle):
    (bundle / "SHA256SUMS").write_text("no digest at all\n")
    assert "[BUNDLE_DAMAGED]" in offline(site, bundle).stderr
    (bundle / "SHA256SUMS").unlink()
    assert "[BUNDLE_MISSING]" in offline(site, bundle).stderr


def test_a_bundle_replaces_nothing_and_a_half_one_has_no_name(site, whole):
    del whole
    again = call(site, "deploy/bundle.sh", "-o", "bundle")
    assert (again.returncode, "[BUNDLE_EXISTS]" in again.stderr) == (1, True)
    (site / "bin/missing").write_text("localhost/osteon-api:9.9\n")
    half = call(site, "deploy/bundle.sh", "-o", "half")
    (site / "bin/missing").write_text("")
    assert (half.returncode, "osteon-api:9.9 is not here" in half.stderr) == (1, True)
    assert not list(site.glob("half*"))
    assert call(site, "deploy/bundle.sh").returncode == 2
