"""Objects that do harm, do it to the child."""

import os
import sys

import pytest
from pydicom.dataset import Dataset

from service.api.app import create_app
from service.dicomweb.reading import ObjectReader
from service.dicomweb.refusals import Refused
from tests.service.dicomweb.objects import STUDY, image, write
from tests.service.web import TestClient

_HUNGRY = """
import json, sys, time
print("ready", flush=True)
for line in sys.stdin:
    for path, _ in json.loads(line)["items"]:
        if path.endswith("dies"):
            sys.exit(9)
        if path.endswith("sleeps"):
            time.sleep(600)
        print(json.dumps({"read": path}), flush=True)
"""


@pytest.fixture
def reader():
    opened = ObjectReader()
    yield opened
    opened.close()


@pytest.fixture
def harmed():
    opened = ObjectReader((sys.executable, "-c", _HUNGRY), timeout_s=1.0)
    yield opened
    opened.close()


def test_an_object_that_ends_the_child_costs_only_itself(harmed, tmp_path):
    names = ["a", "dies", "b", "sleeps", "c"]
    found = list(harmed.attributes([tmp_path / name for name in names], ()))
    assert [model and model["read"].rpartition("/")[2] for model in found] == [
        "a",
        None,
        "b",
        None,
        "c",
    ]
    with pytest.raises(Refused) as refused:
        harmed.frames(tmp_path / "dies")
    assert refused.value.code == "UNREADABLE_OBJECT"


def nested(depth):
    inner = Dataset()
    for _ in range(depth):
        outer = Dataset()
        outer.RequestAttributesSequence = [inner]
        inner = outer
    return inner


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data[:400],
        lambda _: b"",
        lambda data: data[:132] + os.urandom(500),
        lambda data: data.replace(b"\x20\x00\x0d\x00UI", b"\x20\x00\x0d\x00SQ"),
    ],
    ids=["cut", "empty", "noise", "lying"],
)
def test_damaged_objects_are_refused_or_read_as_far_as_they_go(reader, tmp_path, harm):
    good = write(image("1.2.3.4", 1), tmp_path / "good.dcm")
    bad = tmp_path / "bad.dcm"
    bad.write_bytes(harm(good.read_bytes()))
    first, second = reader.attributes([bad, good], ("PatientID", "StudyInstanceUID"))
    assert first is None or isinstance(first, dict)
    assert second["00100020"]["Value"] == ["PAT-1"]
    with pytest.raises(Refused) as refused:
        reader.explicit(bad)
    assert refused.value.code in ("UNREADABLE_OBJECT", "NOT_ACCEPTABLE")


def test_deep_sequences_end_nothing(reader, tmp_path):
    made = image("1.2.3.4", 1)
    made.update(nested(400))
    deep = tmp_path / "deep.dcm"
    sys.setrecursionlimit(20_000)
    try:
        write(made, deep)
    finally:
        sys.setrecursionlimit(1000)
    good = write(image("1.2.3.4", 2), tmp_path / "good.dcm")
    _, second = reader.metadata([(deep, "x"), (good, "x")])
    assert second is not None


def test_a_study_with_an_object_that_cannot_be_read_is_listed_and_given_all_the_same(holdings):
    path = holdings.files[f"{STUDY}.1.1"]
    whole = path.read_bytes()
    damaged = whole[:132] + bytes(300)
    path.write_bytes(damaged)
    with TestClient(create_app(holdings.site)) as client:
        rows = client.get(f"/dicom-web/studies/{STUDY}/instances").json()
        assert len(rows) == 8
        told = client.get(f"/dicom-web/studies/{STUDY}/series/{STUDY}.1/metadata").json()
        assert [one["00200013"]["Value"] for one in told] == [[2]]
        one = f"/dicom-web/studies/{STUDY}/series/{STUDY}.1/instances/{STUDY}.1.1"
        assert damaged in client.get(one).content
        assert client.get(f"{one}/metadata").status_code == 404
        assert client.get(f"{one}/frames/1").json()["code"] == "UNREADABLE_OBJECT"


def test_the_child_ends_with_its_owner(tmp_path):
    reader = ObjectReader()
    path = write(image("1.2.3.4", 1), tmp_path / "one.dcm")
    list(reader.attributes([path], ("PatientID",)))
    child = reader._child
    reader.close()
    assert child.poll() is not None
