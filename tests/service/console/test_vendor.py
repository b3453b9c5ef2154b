import tomllib
from pathlib import Path

import pytest

from service.console.vendor import VENDOR, integrity_of, notices, vendored

OUR_OWN = {"VENDOR.toml", "THIRD_PARTY_NOTICES.txt"}
PERMISSIVE = {"0BSD", "MIT", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause"}
PROJECT = Path(__file__).parents[3]


@pytest.mark.parametrize("package", vendored(), ids=lambda one: one.name)
def test_every_file_is_the_one_that_was_taken(package):
    assert package.files
    assert {name: integrity_of(VENDOR / name) for name in package.files} == dict(package.files)


@pytest.mark.parametrize("package", vendored(), ids=lambda one: one.name)
def test_every_package_says_where_it_is_from_and_brings_a_permissive_licence(package):
    assert package.licence in PERMISSIVE
    assert package.version
    assert package.integrity.startswith("sha512-")
    assert any(Path(name).stem == "LICENSE" for name in package.files)


def test_nothing_lies_there_that_is_not_listed():
    there = {p.relative_to(VENDOR).as_posix() for p in VENDOR.rglob("*") if p.is_file()}
    assert there - OUR_OWN == {name for package in vendored() for name in package.files}


def test_the_notices_are_those_of_the_list():
    assert (VENDOR / "THIRD_PARTY_NOTICES.txt").read_text(encoding="utf-8") == notices()
    assert "Zero-Clause BSD" in notices()


def test_a_changed_byte_is_found(tmp_path):
    name, expected = next(iter(vendored()[0].files.items()))
    changed = tmp_path / "changed"
    changed.write_bytes((VENDOR / name).read_bytes() + b" ")
    assert integrity_of(changed) != expected


def test_the_hash_is_written_as_browsers_write_it(tmp_path):
    """The SHA-512 of nothing, FIPS 180-4, in base64."""
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    assert integrity_of(empty) == (
        "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
    )


def test_the_folder_is_packaged_with_the_rooms():
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "service" in settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert VENDOR.is_relative_to(PROJECT / "service")
