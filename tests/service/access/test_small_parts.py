"""Addresses, rates, secrets: the parts that know no request or only its headers."""

import ipaddress
from types import SimpleNamespace

import pytest

from jobs.audit import plain
from service.access.addresses import client_address
from service.access.credentials import derived, digest_of, is_same, make_token
from service.access.rates import Buckets

PROXIES = (ipaddress.ip_network("10.0.0.0/24"), ipaddress.ip_network("fd00::/8"))


def address(peer, forwarded=None):
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    request = SimpleNamespace(client=SimpleNamespace(host=peer), headers=headers)
    return client_address(request, PROXIES)


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.7", None, "192.0.2.7"),
        ("192.0.2.7", "198.51.100.1", "192.0.2.7"),  # not a proxy: its word is worth nothing
        ("10.0.0.5", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.5", "6.6.6.6, 198.51.100.1", "198.51.100.1"),  # the left is what a client wrote
        ("10.0.0.5", "198.51.100.1, 10.0.0.6", "198.51.100.1"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", "DOE^JANE", "unknown"),
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
        ("testclient", None, "unknown"),
    ],
)
def test_the_address_is_what_a_known_proxy_saw(peer, forwarded, expected):
    assert address(peer, forwarded) == expected


def test_a_bucket_empties_and_fills_with_time():
    now = [100.0]
    buckets = Buckets(clock=lambda: now[0])
    assert [buckets.wait_s("a", 2.0, 3.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.wait_s("b", 2.0, 3.0) == 0
    now[0] += 0.5
    assert [buckets.wait_s("a", 2.0, 3.0) for _ in range(2)] == [0, 0.5]
    now[0] += 1000
    assert [buckets.wait_s("a", 2.0, 3.0) for _ in range(4)] == [0, 0, 0, 0.5]


def test_so_many_callers_take_no_more_memory():
    buckets = Buckets()
    for number in range(10_050):
        buckets.wait_s(str(number), 1.0, 1.0)
    assert len(buckets._levels) == 10_000
    assert "49" not in buckets._levels


def test_digests_and_derived_secrets():
    # printf abc | sha256sum
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest_of("abc") == expected
    # printf csrf | openssl dgst -sha256 -hmac key -binary | basenc --base64url
    assert derived("key", "csrf") == "sWuREk0YevM5tRX19gRqVamF8yBltj4-qePwsy8F4zY"
    assert derived("key", "csrf") != derived("key", "state")
    assert is_same("ä", "ä")
    assert not is_same("a", "b")
    assert digest_of("\udcff")  # what a header may hold


def test_a_token_has_256_random_bits():
    tokens = {make_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(one) for one in tokens} == {len("osteon_") + 43}


def test_a_text_for_the_audit_is_one_printable_line():
    assert plain("a\nb\x00c\u202ed", 10) == "a\ufffdb\ufffdc\ufffdd"
    assert plain("x" * 300, 200) == "x" * 200
