from pathlib import Path

import pytest

from imaging.adc import AdcSettings
from imaging.normalisation import NormalisationRule
from service.settings import SettingsError, load_settings
from service.worker_settings import worker_configuration
from workers.configuration import Assignment


def write(path, text):
    path.write_text(text)
    return path


def test_the_defaults_stay_on_this_machine():
    settings = load_settings()
    assert (settings.node.host, settings.api.host) == ("127.0.0.1", "127.0.0.1")
    assert settings.destinations == ()
    assert settings.store_url.startswith("sqlite:////")


def test_flags_win_over_environment_over_file_over_defaults(monkeypatch, tmp_path):
    text = '[node]\nport = 1\nae_title = "FILE"\nhost = "10.0.0.1"\n'
    config = write(tmp_path / "c.toml", text)
    monkeypatch.setenv("OSTEON_NODE__PORT", "2")
    monkeypatch.setenv("OSTEON_NODE__AE_TITLE", "ENV")
    node = load_settings({"node": {"port": 3}}, config).node
    assert (node.port, node.ae_title, node.host, node.quiet_s) == (3, "ENV", "10.0.0.1", 60.0)


def test_osteon_toml_here_is_read_and_the_variable_names_another(monkeypatch, tmp_path):
    write(tmp_path / "osteon.toml", "[node]\nport = 4\n")
    assert load_settings().node.port == 4
    other = write(tmp_path / "other.toml", "[node]\nport = 5\n")
    monkeypatch.setenv("OSTEON_CONFIG", str(other))
    assert load_settings().node.port == 5


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("OSTEON_NODE__PROT", "1", "node.prot"),
        ("OSTEON_NOED__PORT", "1", "OSTEON_NOED__PORT"),
        ("OSTEON_NODE__PORT", "99999", "node.port"),
        ("OSTEON_NODE__CONTENT__COVERAGE", "900", "node.content.coverage"),
        ("OSTEON_NODE__CONTENT__B_VALUES", "1", "node.content.b_values"),
        ("OSTEON_NODE__DEADLINE_S", "0", "node.deadline_s"),
        ("OSTEON_DESTINATIONS", '[{"name": "x"}]', "destinations.0.ae_title"),
    ],
)
def test_what_is_misspelt_or_out_of_range_is_an_error(monkeypatch, name, value, named):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=named):
        load_settings()


def test_an_unknown_key_in_the_file_is_an_error(tmp_path):
    config = write(tmp_path / "c.toml", "[node]\nporrt = 1\n")
    with pytest.raises(SettingsError, match=r"node\.porrt"):
        load_settings(config_file=config)


def test_a_missing_or_broken_file_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match="there is no settings file"):
        load_settings(config_file=tmp_path / "none.toml")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(config_file=write(tmp_path / "c.toml", "node = ["))


def test_a_secret_comes_from_a_file_and_is_masked(monkeypatch, tmp_path):
    secret = write(tmp_path / "secret", "s3cret\n")
    monkeypatch.setenv("OSTEON_STORE__PASSWORD_FILE", str(secret))
    monkeypatch.setenv("OSTEON_STORE__URL", "postgresql://osteon:{password}@db/osteon")
    settings = load_settings()
    assert settings.store_url == "postgresql://osteon:s3cret@db/osteon"
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in settings.model_dump_json()


def test_a_secret_file_that_cannot_be_used_is_named_and_never_quoted(monkeypatch, tmp_path):
    def refused(path):
        monkeypatch.setenv("OSTEON_STORE__PASSWORD_FILE", str(path))
        with pytest.raises(SettingsError, match="OSTEON_STORE__PASSWORD_FILE") as error:
            load_settings()
        assert str(path) in str(error.value)
        return str(error.value)

    assert "No such file" in refused(tmp_path / "none")
    assert "Is a directory" in refused(tmp_path)
    assert "is empty" in refused(write(tmp_path / "empty", "\n"))
    (tmp_path / "bytes").write_bytes(b"s3cret\xff")
    said = refused(tmp_path / "bytes")
    assert "UTF-8" in said
    assert not any(part in said for part in ("s3cret", "xff"))


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        load_settings().node.port = 1


def test_the_disease_rule_of_the_settings_is_that_of_the_imaging(tmp_path):

    flags = {"data_dir": tmp_path, "disease": {"rule": {"marrow_factor": 2.5}}}
    assert worker_configuration(load_settings(flags)).disease == {"marrow_factor": 2.5}
    flags["disease"] = {"rule": {"signal_treshold": 0.8}}
    with pytest.raises(SettingsError, match="signal_treshold"):
        worker_configuration(load_settings(flags))


def test_the_example_of_the_deployment_loads():
    example = Path(__file__).parents[2] / "deploy/osteon.example.toml"
    settings = load_settings(config_file=example)
    assert settings.node.calling_ae_titles == ("PACS", "WBMRI1")
    assert settings.destinations[0].port == 104


def test_the_adc_weighting_reaches_the_worker_and_the_digest():

    usual, changed = load_settings(), load_settings({"adc": {"weighting": "none"}})
    given = worker_configuration(changed)
    assert given.adc == {"weighting": "none", "exclude_perfusion": True}
    assert AdcSettings(**given.adc) == AdcSettings("none")
    assert given.build.settings_digest != worker_configuration(usual).build.settings_digest
    with pytest.raises(SettingsError, match=r"adc\.weighting"):
        load_settings({"adc": {"weighting": "squared"}})


def test_what_happens_without_a_canal_reaches_the_worker_and_the_digest():

    usual = load_settings()
    changed = load_settings({"normalisation": {"without_canal": "percentile"}})
    given = worker_configuration(changed)
    assert NormalisationRule(**given.normalisation) == NormalisationRule(without_canal="percentile")
    assert given.build.settings_digest != worker_configuration(usual).build.settings_digest
    assert NormalisationRule(**worker_configuration(usual).normalisation).method == "cord"
    with pytest.raises(SettingsError, match=r"normalisation\.without_canal"):
        load_settings({"normalisation": {"without_canal": "guess"}})


def test_a_site_can_do_without_adc_maps():

    assert worker_configuration(load_settings()).build.adc_map
    without = load_settings({"results": {"adc_map": False}})
    assert not worker_configuration(without).build.adc_map


@pytest.mark.parametrize("name", ["pdf", "secondary_capture", "mip"])
def test_a_site_chooses_what_of_the_report_it_sends(name):
    assert getattr(worker_configuration(load_settings()).build, name)
    without = worker_configuration(load_settings({"report": {name: False}})).build
    sent = {one: getattr(without, one) for one in ("pdf", "secondary_capture", "mip")}
    assert sent == {"pdf": True, "secondary_capture": True, "mip": True} | {name: False}


def test_disease_is_found_by_the_network_that_is_named_or_by_the_rule(tmp_path):
    models = {"repository": str(tmp_path), "disease": "mine"}
    assert (
        worker_configuration(load_settings({"models": models})).disease_model == tmp_path / "mine"
    )
    by_rule = load_settings({"models": {**models, "disease": "rule"}})
    assert worker_configuration(by_rule).disease_model is None


def test_focal_lesions_are_listed_by_the_network_that_is_named_or_not_at_all(tmp_path):
    models = {"repository": str(tmp_path), "focal": "mine"}
    told = worker_configuration(load_settings({"models": models}))
    assert told.focal_model == tmp_path / "mine"
    assert Assignment.from_json(Assignment("j", 1, told).to_json()).configuration == told
    none = load_settings({"models": {**models, "focal": "none"}})
    assert worker_configuration(none).focal_model is None


def test_a_repository_with_a_focal_network_serves_it_by_default(tmp_path):
    told = load_settings({"models": {"repository": str(tmp_path)}})
    assert worker_configuration(told).focal_model is None
    (tmp_path / "focal").mkdir()
    (tmp_path / "focal" / "osteon.json").write_text("{}")
    assert worker_configuration(told).focal_model == tmp_path / "focal"


def test_a_password_of_any_letters_fits_into_an_address(monkeypatch, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("p@ss:w/rd%\n")
    monkeypatch.setenv("OSTEON_QUEUE__PASSWORD_FILE", str(secret))
    monkeypatch.setenv("OSTEON_STORE__PASSWORD_FILE", str(secret))
    address = "://osteon:{password}@host:1/0"
    flags = {"store": {"url": f"postgresql{address}"}, "queue": {"broker_url": f"redis{address}"}}
    settings = load_settings(flags)
    assert settings.store_url == "postgresql://osteon:p%40ss%3Aw%2Frd%25@host:1/0"
    assert settings.broker_url == "redis://osteon:p%40ss%3Aw%2Frd%25@host:1/0"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("redis://:secret@host:6379/0", "redis://:**********@host:6379/0"),
        ("redis://:{password}@host:6379/0", "redis://:{password}@host:6379/0"),
        ("redis://host:6379/0", "redis://host:6379/0"),
    ],
)
def test_a_password_inside_an_address_is_not_shown(monkeypatch, tmp_path, address, shown):
    whole = tmp_path / "address"
    whole.write_text(address)
    monkeypatch.setenv("OSTEON_QUEUE__BROKER_URL_FILE", str(whole))
    settings = load_settings()
    assert settings.queue.broker_url == address
    assert settings.model_dump(mode="json")["queue"]["broker_url"] == shown


def test_a_setting_that_is_itself_a_file_is_named_and_not_read(monkeypatch):
    monkeypatch.setenv("OSTEON_WEBHOOKS__CA_FILE", "/etc/ssl/hospital.pem")
    monkeypatch.setenv("OSTEON_ACCESS__OIDC__CA_FILE", "/etc/ssl/provider.pem")
    settings = load_settings()
    assert str(settings.webhooks.ca_file) == "/etc/ssl/hospital.pem"
    assert str(settings.access.oidc.ca_file) == "/etc/ssl/provider.pem"
