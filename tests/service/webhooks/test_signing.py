"""Signatures as Standard Webhooks has them, and where their secrets come from."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from jobs.job import EventKind
from jobs.webhook import Webhook
from service.settings import SettingsError, load_settings
from service.webhooks.signing import FILE_NAME, Signer, signature, signer

AT = datetime(2026, 1, 1, tzinfo=UTC)
HOOK = Webhook("ab" * 16, "https://ris.example/", (EventKind.DELIVERED,), "", True, 1, AT, AT)


def test_the_signature_is_that_of_the_specifications_own_example():
    """Standard Webhooks: secret, id, time and body of its example, and the signature it gives."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_secret_that_is_shown_is_the_one_that_signs():
    signs = Signer(b"k" * 32)
    shown = base64.b64decode(signs.secret(HOOK).removeprefix("whsec_"))
    assert len(shown) == 32
    headers = signs.headers(HOOK, "event-7", 1700000000, b"{}")
    assert headers == {
        "webhook-id": "event-7",
        "webhook-timestamp": "1700000000",
        "webhook-signature": signature(shown, "event-7", 1700000000, b"{}"),
    }


def test_every_webhook_every_renewal_and_every_installation_has_its_own():
    signs = Signer(b"k" * 32)
    secrets = {
        signs.secret(HOOK),
        signs.secret(replace(HOOK, id="cd" * 16)),
        signs.secret(replace(HOOK, generation=2)),
        Signer(b"l" * 32).secret(HOOK),
    }
    assert len(secrets) == 4
    assert "kkk" not in repr(signs)
    assert signs.source != Signer(b"l" * 32).source


@pytest.fixture
def settings(tmp_path):
    def with_(**webhooks):
        return load_settings({"data_dir": tmp_path / "data", "webhooks": webhooks})

    return with_


def test_nothing_is_kept_where_nobody_may_be_told(settings, tmp_path):
    assert signer(settings()) is None
    assert not (tmp_path / "data").exists()


def test_the_key_is_made_once_and_for_its_owner_only(settings, tmp_path):
    first = signer(settings(hosts=["ris.example"]))
    assert first == signer(settings(hosts=["ris.example"]))
    path = tmp_path / "data/results" / FILE_NAME
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_given_key_needs_no_file_and_is_not_shown(settings, tmp_path):
    told = settings(hosts=["ris.example"], key="a key of thirty-two signs or more")
    assert signer(told) == signer(told)
    assert not (tmp_path / "data").exists()
    assert "thirty" not in repr(told)
    assert "thirty" not in told.model_dump_json()


def test_a_key_that_cannot_be_made_is_said_with_what_to_do(settings, tmp_path):
    (tmp_path / "data").write_text("no folder")
    with pytest.raises(SettingsError, match=r"webhooks\.key"):
        signer(settings(hosts=["ris.example"]))


@pytest.mark.parametrize("wrong", [{"networks": ["10.0.0.0/99"]}, {"key": "short"}])
def test_settings_that_cannot_be_used_are_refused(settings, wrong):
    with pytest.raises(SettingsError, match="webhooks"):
        settings(**wrong)
