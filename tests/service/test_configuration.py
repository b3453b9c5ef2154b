"""Every setting with its value, its source and what it is for; no secret among them."""

import json

import pytest
from typer.testing import CliRunner

from service.cli.app import app
from service.configuration import SECRET, entries, groups
from service.origins import Source
from service.settings import Settings, load_settings

PASSWORD = "s3cret-of-the-database"  # noqa: S105


def by_key(settings):
    return {entry.key: entry for entry in entries(settings)}


def test_each_layer_is_named_with_its_place(monkeypatch, tmp_path):
    config = tmp_path / "osteon.toml"
    config.write_text('[node]\nport = 1\nhost = "10.0.0.1"\nquiet_s = 5\n[report]\nmip = false\n')
    monkeypatch.setenv("OSTEON_NODE__HOST", "10.0.0.2")
    monkeypatch.setenv("OSTEON_REPORT", '{"pdf": false}')
    found = by_key(load_settings({"node": {"port": 3}}, config))
    told = {key: (entry.value, entry.source, entry.place) for key, entry in found.items()}
    assert told["node.port"] == (3, Source.FLAG, "command line")
    assert told["node.host"] == ("10.0.0.2", Source.ENVIRONMENT, "OSTEON_NODE__HOST")
    assert told["node.quiet_s"] == (5.0, Source.FILE, str(config))
    assert told["report.pdf"] == (False, Source.ENVIRONMENT, "OSTEON_REPORT")
    assert told["report.mip"] == (False, Source.FILE, str(config))
    assert told["node.ae_title"] == ("OSTEON", Source.DEFAULT, "")
    assert found["node.port"].default == 11112
    assert found["node.port"].variable == "OSTEON_NODE__PORT"


def test_lists_of_tables_are_one_setting(tmp_path):
    config = tmp_path / "osteon.toml"
    config.write_text(
        '[[destinations]]\nname = "pacs"\nae_title = "PACS"\nhost = "h"\nport = 104\n'
    )
    entry = by_key(load_settings(config_file=config))["destinations"]
    assert entry.source is Source.FILE
    [shown] = entry.value
    assert shown | {"name": "pacs", "ae_title": "PACS", "host": "h", "port": 104} == shown


def test_a_secret_is_said_to_be_there_and_nothing_else(monkeypatch, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(f"{PASSWORD}\n")
    monkeypatch.setenv("OSTEON_STORE__PASSWORD_FILE", str(secret))
    monkeypatch.setenv("OSTEON_QUEUE__BROKER_URL", f"redis://:{PASSWORD}@127.0.0.1/0")
    monkeypatch.setenv("OSTEON_MONITORING__TRACES", f"https://me:{PASSWORD}@collector/v1/traces")
    found = by_key(load_settings())
    password = found["store.password"]
    assert (password.value, password.place) == (SECRET, "OSTEON_STORE__PASSWORD_FILE")
    assert password.variable == "OSTEON_STORE__PASSWORD_FILE"
    assert found["follow_up.identity_key"].value is None
    assert PASSWORD not in repr(found)
    for options in (["config"], ["config", "--json"], ["config", "--explain", "--json"]):
        printed = CliRunner().invoke(app, options).stdout
        assert "store" in printed
        assert PASSWORD not in printed.replace("\n", "")


def test_every_setting_is_there_once_and_explained():
    flat = entries(Settings())
    keys = [entry.key for entry in flat]
    assert len(keys) == len(set(keys)) > 80
    assert [entry.key for entry in flat if not entry.explanation] == []
    assert {entry.source for entry in flat} == {Source.DEFAULT}
    assert [entry.key for entry in flat if entry.value != entry.default] == []


def test_groups_are_the_sections_of_the_file():
    found = groups(Settings())
    assert [group.name for group in found][:2] == ["", "node"]
    node = next(group for group in found if group.name == "node")
    assert {"node.port", "node.content.settle_s"} <= {entry.key for entry in node.entries}
    assert all(group.explanation for group in found if group.name)


def test_the_command_prints_value_source_and_explanation(monkeypatch):
    monkeypatch.setenv("OSTEON_NODE__PORT", "104")
    printed = CliRunner().invoke(app, ["config"]).stdout.splitlines()
    assert "node.port = 104  # environment OSTEON_NODE__PORT" in printed
    assert "node.quiet_s = 60.0  # default" in printed
    explained = CliRunner().invoke(app, ["config", "--explain"]).stdout
    assert "# a study is complete after so long a silence\nnode.quiet_s = 60.0" in explained
    (row,) = (
        row
        for row in json.loads(CliRunner().invoke(app, ["config", "--explain", "--json"]).stdout)
        if row["key"] == "node.port"
    )
    assert (row["value"], row["default"], row["source"]) == (104, 11112, "environment")


@pytest.mark.parametrize("word", ["keep_labels", "names_from", "names_otherwise"])
def test_what_is_shown_of_patients_is_a_setting(word):
    assert f"console.{word}" in by_key(Settings())
