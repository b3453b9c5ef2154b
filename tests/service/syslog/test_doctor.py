"""`osteon doctor audit`: against a real server, one that is away, and none."""

import pytest

from service.preflight.audit_repository import check_audit_repository
from service.preflight.finding import Verdict
from service.settings import load_settings


@pytest.fixture
def look(repository, client_files):
    def looked(**changes):
        syslog = {
            "host": "127.0.0.1",
            "port": repository.server.port,
            "ca_file": client_files.authorities,
            "certificate_file": client_files.certificate,
            "key_file": client_files.key,
        }
        given = {"audit": {"syslog": {k: v for k, v in (syslog | changes).items() if v}}}
        (found,) = check_audit_repository(load_settings(given))
        return found

    return looked


def test_a_server_that_lets_us_in(look, repository):
    assert look().verdict is Verdict.OK
    assert repository.lines() == []  # nothing was sent


def test_what_is_wrong_is_said_with_its_cure(look, repository):
    nameless = look(server_name="other.example.org")
    assert (nameless.verdict, nameless.sentence[-5:]) == (Verdict.PROBLEM, "[TLS]")
    assert look(certificate_file=None, key_file=None).verdict is Verdict.PROBLEM
    repository.kill()
    away = look()
    assert "nothing listens there" in away.sentence


def test_nobody_is_asked_where_nobody_is_named():
    (found,) = check_audit_repository(load_settings())
    assert found.verdict is Verdict.SKIPPED
