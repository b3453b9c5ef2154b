"""How a destination is called over TLS, from the settings to the worker's child."""

from dataclasses import replace
from pathlib import Path

import pytest

from dicom_node.tls import ClientFiles
from service.configured import configured
from service.settings import SettingsError, load_settings
from service.worker_settings import worker_configuration
from workers.configuration import Assignment

PACS = {"name": "pacs", "ae_title": "PACS", "host": "pacs.example.org", "port": 2762}


def test_a_destination_is_called_over_tls_only_where_it_says_so(tmp_path):
    tls = {"authorities": str(tmp_path / "ca.pem"), "certificate": "osteon.crt", "key": "o.key",
           "key_password": "open sesame", "server_name": "pacs"}  # fmt: skip
    settings = load_settings({"destinations": [PACS | {"tls": tls}, PACS | {"name": "plain"}]})
    there, plain = worker_configuration(settings).destinations
    assert there.tls == ClientFiles(
        authorities=tmp_path / "ca.pem",
        certificate=Path("osteon.crt").absolute(),
        key=Path("o.key").absolute(),
        server_name="pacs",
        key_password="open sesame",  # noqa: S106 - of a key that is nowhere
    )
    assert plain.tls is None
    assert [peer.tls for peer in configured(settings).peers] == [there.tls, None]
    assert "sesame" not in repr(settings.destinations) + repr(configured(settings))


def test_the_child_of_a_worker_is_told(tmp_path):
    settings = load_settings({"destinations": [PACS | {"tls": {"authorities": str(tmp_path)}}]})
    configuration = worker_configuration(settings)
    told = Assignment.from_json(Assignment("a" * 32, 1, replace(configuration)).to_json())
    assert told.configuration.destinations == configuration.destinations


def test_nobody_is_believed_blindly():
    careless = {"tls": {"check_name": False}}
    with pytest.raises(SettingsError, match="authorities"):
        load_settings({"destinations": [PACS | careless]})
