"""What `osteon doctor archive` says of the archive that earlier studies come from."""

from contextlib import contextmanager

import pytest
from pynetdicom import AE, evt

from dicom_node.query import STUDY_ROOT_FIND
from service.preflight.archive import check_archive
from service.preflight.finding import Verdict
from service.settings import SettingsError, load_settings

VERIFICATION = "1.2.840.10008.1.1"


@contextmanager
def archive(*classes):
    entity = AE("ARCHIVE")
    entity.require_called_aet = True
    for uid in (VERIFICATION, *classes):
        entity.add_supported_context(uid)
    handlers = [(evt.EVT_C_ECHO, lambda _: 0), (evt.EVT_C_FIND, lambda _: iter([]))]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def look(port, title="ARCHIVE", **more):
    flags = {"archive": {"host": "127.0.0.1", "port": port, "ae_title": title, **more}}
    found = check_archive(load_settings(flags))
    return {one.code: (one.verdict, one.sentence) for one in found}


def test_an_archive_that_answers_is_well():
    with archive(STUDY_ROOT_FIND) as port:
        found = look(port, retrieve="move")
    assert [verdict for verdict, _ in found.values()] == [Verdict.OK, Verdict.OK]
    assert "C-MOVE first" in found["QUERY_ARCHIVE"][1]


def test_an_archive_that_takes_no_question_is_a_problem():
    with archive() as port:
        found = look(port)
    assert found["ECHO_TO_ARCHIVE"][0] is Verdict.OK
    assert found["QUERY_ARCHIVE"][0] is Verdict.PROBLEM
    assert "C-FIND" in found["QUERY_ARCHIVE"][1]


def test_an_archive_that_does_not_know_us_is_not_asked_more():
    with archive(STUDY_ROOT_FIND) as port:
        found = look(port, title="OTHER")
    assert found["ECHO_TO_ARCHIVE"][0] is Verdict.PROBLEM
    assert found["QUERY_ARCHIVE"][0] is Verdict.SKIPPED


def test_without_an_archive_nothing_is_asked():
    (found,) = check_archive(load_settings({}))
    assert found.verdict is Verdict.SKIPPED


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"host": "pacs"}, "ae_title"),
        ({"host": "pacs", "ae_title": "A", "description": "("}, "regular expression"),
        ({"host": "pacs", "ae_title": "A", "retrieve": "push"}, "retrieve"),
    ],
)
def test_settings_that_cannot_work_are_refused(wrong, told):
    with pytest.raises(SettingsError, match=told):
        load_settings({"archive": wrong})
