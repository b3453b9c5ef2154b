"""The Settings screen: what `osteon config` prints, for people."""

import json

import pytest

from service.configuration import entries
from service.settings import load_settings
from service.wiring import make_api
from tests.service.console.elements import Elements
from tests.service.web import TestClient

PASSWORD = "s3cret-of-the-database"  # noqa: S105


@pytest.fixture
def settings(monkeypatch, tmp_path):
    config = tmp_path / "osteon.toml"
    config.write_text('[node]\nae_title = "FILE<b>"\n')
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD)
    monkeypatch.setenv("OSTEON_FOLLOW_UP__IDENTITY_KEY_FILE", str(secret))
    monkeypatch.setenv("OSTEON_NODE__PORT", "104")
    return load_settings({"data_dir": tmp_path}, config)


@pytest.fixture
def html(settings, store):
    with TestClient(make_api(settings, store)) as client:
        answer = client.get("/settings")
    assert answer.status_code == 200
    return answer.text


def test_every_setting_stands_there_with_value_source_and_explanation(html, settings):
    shown = Elements(html)
    for entry in entries(settings):
        row = shown[f"setting-{entry.key}"]
        assert entry.variable in row
        assert " ".join(entry.explanation.split()) in row
        assert entry.source in row
        assert entry.place in row
    assert "104 default: 11112 environment OSTEON_NODE__PORT" in shown["setting-node.port"]
    assert "FILE<b> default: OSTEON file" in shown["setting-node.ae_title"]
    assert json.dumps([900.0, 1400.0]) in shown["setting-disease.adc_classes_um2_s"]
    assert "not set" in shown["setting-store.url"]


def test_secrets_are_not_shown_nor_how_long_they_are(html):
    shown = Elements(html)
    assert PASSWORD not in html
    assert "(secret)" in shown["setting-follow_up.identity_key"]
    assert "*" * 8 not in html


def test_what_comes_from_the_settings_is_text(html):
    assert "FILE<b>" not in html
    assert "FILE&lt;b&gt;" in html


def test_it_says_where_to_change_and_has_nothing_to_change_with(html):
    assert "osteon.toml" in Elements(html)["where-to-change"]
    content = html.partition("<main")[2].partition("</main>")[0]
    assert "<form" not in content
    assert "<input" not in content
