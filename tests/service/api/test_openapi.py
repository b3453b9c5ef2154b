"""The document of the interface: committed as it is, whole, and without anything of a patient."""

import json

import pytest

from service.api.documentation import SNAPSHOT, described, snapshot


@pytest.fixture(scope="module")
def document():
    return json.loads(snapshot())


def operations(document):
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def test_the_committed_document_is_that_of_the_code():
    """Differs? `python -m service.api.documentation` writes it; look at what changed."""
    assert SNAPSHOT.read_text(encoding="utf-8") == snapshot()


def test_it_is_openapi_3_1_and_every_operation_has_a_name_of_its_own(document):
    assert document["openapi"].startswith("3.1.")
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names)) > 30


def test_every_refusal_is_a_problem_document(document):
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) < 400 or (path == "/readyz" and status == "503"):
                continue
            problem = {"$ref": "#/components/schemas/Problem"}
            told = answer["content"]["application/problem+json"]
            assert told == {"schema": problem}, (path, method, status)


def test_what_needs_a_caller_says_so(document):
    open_ones = {path for path, _, o in operations(document) if "security" not in o}
    assert open_ones == {"/livez", "/readyz"}
    for path, _, operation in operations(document):
        assert ("401" in operation["responses"]) == (path not in open_ones)


def test_every_part_that_is_referred_to_is_there(document):
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f"#/components/schemas/{name}" in text, name
    refs = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert refs <= set(document["components"]["schemas"])


def test_a_running_system_gives_the_same(client):
    assert client.get("/api/v1/openapi.json").json() == described(client.app)


def test_the_page_shows_it_without_another_site(client):
    page = client.get("/docs")
    assert page.status_code == 200
    assert 'data-document="/api/v1/openapi.json"' in page.text
    assert "http" not in page.text.replace("http-equiv", "")
