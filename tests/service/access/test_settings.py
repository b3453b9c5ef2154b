"""What the settings of access allow, and what becomes of them."""

import ipaddress
import logging

import pytest

from service.access.caller import Role
from service.access.policy import Policy
from service.access_policy import access_policy, host_names, tell_if_closed
from service.settings import SettingsError, load_settings

NAMES = ("127.0.0.1", "localhost", "[::1]")
OIDC = {"issuer": "https://login.example.org", "roles": {"it": "admin"}}


def loaded(**access):
    return load_settings({"access": access})


def test_the_defaults_are_those_of_the_policy():
    assert access_policy(load_settings()) == Policy()


def test_a_provider_and_proxies_become_plain_values(tmp_path, monkeypatch):
    secret = tmp_path / "secret"
    secret.write_text("hush\n")
    monkeypatch.setenv("OSTEON_ACCESS__OIDC__CLIENT_SECRET_FILE", str(secret))
    settings = loaded(public_url="https://o.example.org/", proxies=["10.0.0.0/24"], oidc=OIDC)
    policy = access_policy(settings)
    assert (policy.public_url, policy.is_https) == ("https://o.example.org", True)
    assert policy.proxies == (ipaddress.ip_network("10.0.0.0/24"),)
    assert policy.provider.client_secret == "hush"  # noqa: S105 - of this test
    assert policy.provider.roles == (("it", Role.ADMIN),)
    assert "hush" not in repr(policy) + str(settings.model_dump(mode="json"))


@pytest.mark.parametrize(
    ("access", "said"),
    [
        ({"oidc": OIDC}, "public_url"),
        ({"oidc": OIDC, "public_url": "http://o.example.org"}, "public_url with https"),
        ({"public_url": "https://o.example.org/path"}, "without a path"),
        ({"public_url": "o.example.org"}, "without a path"),
        ({"proxies": ["proxy.example.org"]}, "proxies"),
        ({"oidc": {**OIDC, "issuer": "http://login.example.org"}}, "issuer"),
        ({"oidc": {**OIDC, "scopes": ["profile"]}}, "openid"),
        ({"oidc": {**OIDC, "algorithms": ["none"]}}, "algorithms"),
        ({"oidc": {**OIDC, "algorithms": ["HS256"]}}, "algorithms"),
        ({"oidc": {**OIDC, "roles": {"it": "root"}}}, "roles"),
        ({"idle_s": 0}, "idle_s"),
    ],
)
def test_what_cannot_be_is_refused_with_its_key(access, said):
    with pytest.raises(SettingsError, match=said):
        loaded(**access)


def test_browsers_may_call_us_by_our_names_only_until_we_listen_to_others():
    assert host_names(load_settings(), NAMES) == NAMES
    public = loaded(public_url="https://o.example.org")
    assert host_names(public, NAMES) == (*NAMES, "o.example.org")
    everywhere = load_settings({"api": {"host": "0.0.0.0"}})  # noqa: S104 - closed all the same
    assert host_names(everywhere, NAMES) == ("*",)


def test_the_start_says_that_nobody_can_sign_in_yet(store, caplog):
    def told(settings):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            tell_if_closed(settings, store, access_policy(settings))
        return [
            (record.event, "osteon tokens create" in record.message) for record in caplog.records
        ]

    elsewhere = {"api": {"host": "192.0.2.1"}}
    assert told(load_settings(elsewhere)) == [("nobody_can_sign_in", True)]
    assert told(load_settings()) == []
    signs_in = {"access": {"public_url": "https://o.example.org", "oidc": OIDC}}
    assert told(load_settings({**elsewhere, **signs_in})) == []
    store.add_token("a" * 64, "it", "admin", "a test", None)
    assert told(load_settings(elsewhere)) == []
