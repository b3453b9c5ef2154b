from dataclasses import replace

import pytest
from fastapi import Request

from service.access.policy import Policy
from service.api.app import create_app
from service.dicomweb.parts import root_of
from service.naming import Naming
from tests.service.dicomweb.objects import OTHER, SEG, STUDY, image, segmentation
from tests.service.web import TestClient

REQUIRED_OF_STUDIES = {
    *("00080005", "00080020", "00080030", "00080050", "00080056", "00080061", "00080090"),
    *("00080201", "00081190", "00100010", "00100020", "00100030", "00100040", "0020000D"),
    *("00200010", "00201206", "00201208"),
}
"""PS3.18 table 10.6.3-3."""
REQUIRED_OF_SERIES = {
    *("00080005", "00080060", "00080201", "0008103E", "00081190", "0020000E", "00200011"),
    *("00201209", "00400244", "00400245", "00400275"),
}
"""Table 10.6.3-4."""
REQUIRED_OF_INSTANCES = {
    *("00080005", "00080016", "00080018", "00080056", "00080201", "00081190", "00200013"),
    *("00280008", "00280010", "00280011", "00280100"),
}
"""Table 10.6.3-5."""


def values(rows, tag):
    return [row[tag].get("Value", [None])[0] for row in rows]


def uids(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/dicom+json"
    return values(answer.json(), "0020000D")


def test_studies_are_listed_the_latest_first_with_what_the_standard_asks_for(client):
    rows = client.get("/dicom-web/studies").json()
    assert values(rows, "0020000D") == [OTHER, STUDY]
    for row in rows:
        assert set(row) == REQUIRED_OF_STUDIES
    study = rows[1]
    assert study["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Müller^Jürgen"}]}
    assert study["00080005"]["Value"] == ["ISO_IR 192"]
    assert study["00080061"]["Value"] == ["DOC", "MR", "SEG"]
    assert study["00201206"]["Value"] == [7]
    assert study["00201208"]["Value"] == [8]
    assert study["00081190"]["Value"] == [f"http://localhost/dicom-web/studies/{STUDY}"]
    assert study["00080090"] == {"vr": "PN"}
    assert rows[0]["00100010"]["Value"] == [
        {"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("PatientName=M%C3%BCller*", [STUDY]),
        ("PatientName=*j%C3%BCrgen", [STUDY]),
        ("00100010=%E5%B1%B1*", [OTHER]),
        ("PatientID=PAT-?", [OTHER, STUDY]),
        ("PatientID=pat-1", None),
        ("00100020=PAT-2", [OTHER]),
        ("StudyDate=20260131", [STUDY]),
        ("StudyDate=20260101-20260131", [STUDY]),
        ("StudyDate=20260201-", [OTHER]),
        ("StudyTime=0930", [OTHER, STUDY]),
        ("AccessionNumber=ACC1&StudyDate=20260201", None),
        (f"StudyInstanceUID={STUDY},{OTHER}", [OTHER, STUDY]),
        (f"StudyInstanceUID={STUDY}%5C9.9", [STUDY]),
        ("ModalitiesInStudy=SEG", [STUDY]),
        ("ModalitiesInStudy=M*", [OTHER, STUDY]),
        ("ModalitiesInStudy=CT", None),
        ("ReferringPhysicianName=", [OTHER, STUDY]),
        ("ReferringPhysicianName=A*", None),
        ("limit=1", [OTHER]),
        ("limit=1&offset=1", [STUDY]),
        ("limit=0", None),
        ("offset=2", None),
        ("limit=101&offset=0&fuzzymatching=false&includefield=00081030,00080060", [OTHER, STUDY]),
    ],
)
def test_studies_are_found_by_what_is_asked(client, query, found):
    answer = client.get(f"/dicom-web/studies?{query}")
    if found is None:
        assert (answer.status_code, answer.content) == (204, b"")
    else:
        assert uids(answer) == found


def test_includefield_adds_what_is_known_at_the_level(client):
    (row,) = client.get("/dicom-web/studies?PatientID=PAT-1&includefield=StudyDescription").json()
    assert row["00081030"]["Value"] == ["Whole body"]
    (row,) = client.get("/dicom-web/studies?PatientID=PAT-1&includefield=all").json()
    assert set(row) > REQUIRED_OF_STUDIES
    assert row["00081030"]["Value"] == ["Whole body"]


def test_series_of_a_study(client):
    rows = client.get(f"/dicom-web/studies/{STUDY}/series").json()
    assert values(rows, "0020000E") == [f"{STUDY}.{n}" for n in (1, 2, 3, 4, 5, 90, 91)]
    assert values(rows, "00080060") == ["MR"] * 5 + ["SEG", "DOC"]
    assert values(rows, "00201209") == [2, 1, 1, 1, 1, 1, 1]
    for row in rows:
        assert set(row) == REQUIRED_OF_SERIES | {"0020000D"}
    address = f"/dicom-web/studies/{STUDY}/series?Modality=SEG&includefield=00100020"
    (row,) = client.get(address).json()
    assert row["0008103E"]["Value"] == ["RESEARCH disease"]
    assert row["00100020"]["Value"] == ["PAT-1"]
    assert client.get(f"/dicom-web/studies/{STUDY}/series?SeriesNumber=3").json()[0]["00200011"][
        "Value"
    ] == [3]


def test_series_of_all_studies_by_attributes_of_both(client):
    rows = client.get("/dicom-web/series?Modality=MR&PatientID=PAT-2").json()
    assert values(rows, "0020000E") == [f"{OTHER}.1"]
    assert set(rows[0]) == REQUIRED_OF_SERIES | REQUIRED_OF_STUDIES
    assert len(client.get("/dicom-web/series").json()) == 8
    assert len(client.get("/dicom-web/series?limit=3&offset=6").json()) == 2


def test_instances(client):
    rows = client.get(f"/dicom-web/studies/{STUDY}/series/{STUDY}.1/instances").json()
    assert values(rows, "00080018") == [f"{STUDY}.1.1", f"{STUDY}.1.2"]
    for row in rows:
        assert set(row) >= REQUIRED_OF_INSTANCES
        assert row["00280010"]["Value"] == [6]
        assert row["00083002"]["Value"] == ["1.2.840.10008.1.2.1"]
    assert len(client.get(f"/dicom-web/studies/{STUDY}/instances").json()) == 8
    found = client.get(f"/dicom-web/instances?SOPClassUID={SEG}").json()
    assert values(found, "00080018") == [f"{STUDY}.90.1"]
    assert found[0]["00280008"]["Value"] == [3]
    assert found[0]["00100020"]["Value"] == ["PAT-1"]
    found = client.get(f"/dicom-web/studies/{STUDY}/instances?InstanceNumber=2").json()
    assert values(found, "00080018") == [f"{STUDY}.1.2"]


def test_what_is_not_held_is_an_empty_answer(client):
    nothing = ("studies/9.9/series", "studies/9.9/instances", f"studies/{STUDY}/series/9/instances")
    for address in nothing:
        assert client.get(f"/dicom-web/{address}").status_code == 204


@pytest.mark.parametrize(
    "query",
    [
        "PatientNam=x",
        "SOPInstanceUID=1.2",
        "NumberOfStudyRelatedInstances=3",
        "StudyDate=yesterday",
        "limit=-1",
        "limit=ten",
        "offset=1e3",
        "includefield=NoSuchThing",
        "PatientID=a&PatientID=b",
        "RequestAttributesSequence=x",
        "PatientID=" + "x" * 5000,
    ],
)
def test_a_query_that_is_none_is_told_so_and_never_answered_with_everything(client, query):
    answer = client.get(f"/dicom-web/studies?{query}")
    assert answer.status_code == 400
    assert answer.json()["code"] == "BAD_QUERY"
    assert "xxxxx" not in answer.json()["detail"]


def test_an_address_that_holds_no_uid_is_told_so(client):
    for address in ("studies/abc/series", "studies/1..2/series", f"studies/{'1' * 65}"):
        assert client.get(f"/dicom-web/{address}").status_code == 400


def test_json_is_what_there_is(client):
    for accept in ("application/dicom+json", "application/json", "*/*"):
        assert client.get("/dicom-web/studies", headers={"Accept": accept}).status_code == 200
    xml = 'multipart/related; type="application/dicom+xml"'
    answer = client.get("/dicom-web/studies", headers={"Accept": xml})
    assert (answer.status_code, answer.json()["code"]) == (406, "NOT_ACCEPTABLE")


def test_fuzzy_matching_is_said_not_to_be_done(client):
    answer = client.get("/dicom-web/studies?fuzzymatching=true&PatientID=PAT-1")
    assert uids(answer) == [STUDY]
    assert answer.headers["warning"].startswith("299 http://localhost/dicom-web: ")
    assert "Only literal matching has been performed" in answer.headers["warning"]


def test_an_answer_that_is_cut_says_so(client, monkeypatch):
    monkeypatch.setattr("service.dicomweb.query.MOST", dict.fromkeys((1, 2, 3), 1))
    monkeypatch.setattr("service.dicomweb.search_routes.MOST", dict.fromkeys((1, 2, 3), 1))
    answer = client.get("/dicom-web/studies")
    assert uids(answer) == [OTHER]
    assert "Additional results can be requested" in answer.headers["warning"]
    assert "warning" not in client.get("/dicom-web/studies?offset=1").headers


def test_what_arrives_is_found_and_newer_results_replace_older_ones(client, holdings):
    assert len(client.get("/dicom-web/studies").json()) == 2
    holdings.receive(image("1.2.3.300.1", 1, PatientID="PAT-3"))
    assert uids(client.get("/dicom-web/studies?PatientID=PAT-3")) == ["1.2.3.300"]
    holdings.receive(image(f"{STUDY}.6", 1))
    holdings.measure(STUDY, segmentation(f"{STUDY}.95", 1))
    rows = client.get(f"/dicom-web/studies/{STUDY}/series?Modality=SEG").json()
    assert values(rows, "0020000E") == [f"{STUDY}.95"]
    assert client.get("/dicom-web/studies?ModalitiesInStudy=DOC").status_code == 204
    old = f"/dicom-web/studies/{STUDY}/series/{STUDY}.90/instances/{STUDY}.90.1"
    assert client.get(old).status_code == 404


def test_a_result_that_came_back_is_listed_once(client, holdings):
    holdings.receive(segmentation(f"{STUDY}.90", 1))
    rows = client.get(f"/dicom-web/studies/{STUDY}/series?Modality=SEG").json()
    assert values(rows, "00201209") == [1]
    found = client.get(f"/dicom-web/instances?SOPInstanceUID={STUDY}.90.1").json()
    assert len(found) == 1


@pytest.mark.parametrize(
    ("host", "root"),
    [
        ("osteon.example", "https://osteon.example/dicom-web"),
        ("10.0.0.7:8080", "http://10.0.0.7:8080/dicom-web"),
    ],
)
def test_addresses_are_those_that_the_caller_can_reach(empty, host, root):
    site = replace(empty.site, access=Policy(public_url="https://osteon.example"))
    scope = {"type": "http", "scheme": "http", "path": "/", "headers": [(b"host", host.encode())]}
    assert root_of(Request(scope | {"app": create_app(site)})) == root


def test_only_who_is_shown_names_is_given_objects(holdings):
    site = replace(holdings.site, naming=Naming("nobody"))
    with TestClient(create_app(site)) as client:
        for address in ("studies", f"studies/{STUDY}", f"studies/{STUDY}/metadata"):
            answer = client.get(f"/dicom-web/{address}")
            assert (answer.status_code, answer.json()["code"]) == (403, "NAMES_HIDDEN")
    with TestClient(create_app(replace(holdings.site, dicomweb=False))) as client:
        assert client.get("/dicom-web/studies").status_code == 404
