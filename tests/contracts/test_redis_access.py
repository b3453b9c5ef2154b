"""A Redis as a hospital guards it: TLS with an authority of its own, and an ACL user."""

from urllib.parse import quote

import pytest

from jobs.job import JobState
from jobs.migrate import upgrade
from jobs.store import JobStore
from service.settings import load_settings
from tests.contracts.redis_tls import TlsRedis, make_certificates
from tests.contracts.ringing import NOTHING, Worker, bell, open_job, until

USER, PASSWORD = "osteon@site", "of/the:user"
# As deploy/redis/start.sh gives them: our keys, and nothing that manages the server.
RIGHTS = ("~osteon:*", "resetchannels", "+@all", "-@admin", "-@dangerous", "+info")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls") / "certificates"
    make_certificates(folder)
    return folder


@pytest.fixture(scope="module")
def redis(certificates, tmp_path_factory):
    server = TlsRedis(tmp_path_factory.mktemp("redis") / "data", certificates)
    assert server.ask("acl", "setuser", USER, "on", f">{PASSWORD}", *RIGHTS) == "OK"
    yield server
    server.kill()


@pytest.fixture
def address(redis, certificates, monkeypatch):
    """The broker's address as settings make it, password from elsewhere."""
    secure = f"?ssl_ca_certs={certificates / 'ca.crt'}"
    url = f"rediss://{quote(USER)}:{{password}}@127.0.0.1:{redis.tls_port}/0{secure}"
    monkeypatch.setenv("OSTEON_QUEUE__BROKER_URL", url)
    monkeypatch.setenv("OSTEON_QUEUE__PASSWORD", PASSWORD)
    return load_settings().broker_url


@pytest.fixture
def database(tmp_path):
    url = f"sqlite:///{tmp_path / 'osteon.sqlite'}"
    upgrade(url)
    return url


@pytest.fixture
def store(database):
    with JobStore(database) as opened:
        yield opened


def test_jobs_are_rung_for_and_heard_through_tls_as_an_acl_user(
    redis, address, database, store, arrivals
):
    queue, job = bell(store, address), open_job(store, arrivals, "1.2")
    queue.submit(job.id)
    assert queue.waiting() == {**NOTHING, "routine": 1}
    with Worker(database, address) as worker:
        until(lambda: store.job(job.id).state is JobState.DELIVERED)
        later = open_job(store, arrivals, "1.3")
        queue.submit(later.id)
        until(lambda: store.job(later.id).state is JobState.DELIVERED)
        clients = redis.ask("client", "list").splitlines()
        users = {word for line in clients for word in line.split() if word.startswith("user=")}
        assert f"user={USER}" in users
        assert worker.stop() == 0
    assert "Traceback" not in worker.said
    assert PASSWORD not in worker.said
    assert redis.ask("acl", "log") == ""  # nothing was asked that is not allowed


def test_a_server_of_another_authority_hears_no_password(redis, address, store, arrivals, tmp_path):
    make_certificates(tmp_path / "other")
    addresses = (
        address.replace(address.partition("ssl_ca_certs=")[2], str(tmp_path / "other/ca.crt")),
        address.partition("?")[0],  # the system's authorities do not know ours either
        address.partition("?")[0].replace("rediss:", "redis:"),  # in the clear
    )
    for number, url in enumerate(addresses):
        queue = bell(store, url, prefix=f"{number}:")  # kombu shares connections that look equal
        assert queue.waiting() is None
        assert not queue.ring(open_job(store, arrivals, f"1.4.{number}").id, 0)
    assert redis.ask("keys", "[0-9]:*") == ""  # rings of the test before may be there
