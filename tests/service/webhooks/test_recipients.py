"""Which addresses may be told: by name, and by what the name resolves to (SSRF)."""

import socket

import pytest

from service.webhooks.recipients import RecipientRefused, Recipients, Target

RIS = Recipients(("ris.example", "ris.example:8443", "10.0.0.7:9000", "[::1]:9000"))


def refusal(ask, *args):
    with pytest.raises(RecipientRefused) as refused:
        ask(*args)
    return refused.value.code


def test_an_allowed_address_in_its_parts():
    assert RIS.target("https://ris.example/a?b=c") == Target("https", "ris.example", 443, "/a?b=c")
    assert RIS.target("https://RIS.example:8443").authority == "ris.example:8443"
    assert RIS.target("https://10.0.0.7:9000/x").host == "10.0.0.7"
    assert RIS.target("https://[::1]:9000/").authority == "[::1]:9000"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://ris.example.evil.example/",
        "https://ris.example:9443/",
        "https://10.0.0.7/",
        "https://evil.example/?ris.example",
        "https://evil.example/ris.example:8443",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/",
        "https://0x0a000007:9000/",
    ],
)
def test_another_host_is_refused(url):
    assert refusal(RIS.target, url) == "HOST_NOT_ALLOWED"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://ris.example/",
        "file:///etc/passwd",
        "ris.example",
        "https://",
        "https://ris.example@evil.example/",
        "https://evil.example#@ris.example/",
        "https://user:secret@ris.example/",
        "https://ris.example\\@evil.example/",
        "https://ris.example/a b",
        "https://ris.example/\r\nHost: evil.example",
        "https://ris.example:99999/",
        "https://ris.exämple/",
        "https://ris.example/" + "a" * 1000,
    ],
)
def test_what_is_no_plain_address_is_refused(url):
    assert refusal(RIS.target, url) == "URL_NOT_VALID"


def test_nobody_is_allowed_by_default_and_http_only_where_it_is_said():
    assert refusal(Recipients().target, "https://ris.example/") == "HOST_NOT_ALLOWED"
    assert refusal(RIS.target, "http://ris.example/") == "HTTPS_ONLY"
    assert Recipients(("ris.example",), (), True).target("http://ris.example/").port == 80


@pytest.fixture
def resolves(monkeypatch):
    """Let every name mean these addresses."""

    def to(*addresses):
        rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 443)) for a in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: rows)

    return to


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "::ffff:127.0.0.1",
        "169.254.169.254",
        "fe80::1%eth0",
        "0.0.0.0",  # noqa: S104
        "::",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
def test_a_name_that_means_this_host_or_its_neighbours_is_refused(resolves, address):
    target = RIS.target("https://ris.example/")
    resolves(address)
    assert refusal(RIS.addresses, target) == "ADDRESS_NOT_ALLOWED"
    resolves("192.0.2.7", address)  # one right address does not make the other one right
    assert refusal(RIS.addresses, target) == "ADDRESS_NOT_ALLOWED"


def test_a_hospitals_own_addresses_are_right(resolves):
    target = RIS.target("https://ris.example/")
    resolves("10.1.2.3", "10.1.2.3", "fd00::7")
    assert RIS.addresses(target) == ("10.1.2.3", "fd00::7")


def test_with_networks_only_they_are_right(resolves):
    near = Recipients(("ris.example",), ("10.1.0.0/16", "127.0.0.1/32"))
    target = near.target("https://ris.example/")
    resolves("10.1.2.3")
    assert near.addresses(target) == ("10.1.2.3",)
    resolves("127.0.0.1")
    assert near.addresses(target) == ("127.0.0.1",)
    for address in ("10.2.0.1", "127.0.0.2", "8.8.8.8"):
        resolves(address)
        assert refusal(near.addresses, target) == "ADDRESS_NOT_ALLOWED"


def test_a_name_that_nobody_knows(monkeypatch):
    def unknown(*_args, **_more):
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    target = RIS.target("https://ris.example/")
    assert refusal(RIS.addresses, target) == "NAME_NOT_FOUND"


def test_a_refusal_repeats_no_address():
    for url in ("https://secret.example/", "https://a:secret@ris.example/"):
        with pytest.raises(RecipientRefused) as refused:
            RIS.target(url)
        assert "secret" not in str(refused.value)
