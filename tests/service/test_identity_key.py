from __future__ import annotations

import pytest

from imaging.response_limits import ResponseLimits
from service.follow_up_section import FollowUpSection
from service.identity_key import identity_key
from service.settings import SettingsError, load_settings
from service.worker_settings import worker_configuration
from workers.child import follow_up_settings


@pytest.fixture
def settings(tmp_path):
    def with_(**follow_up):
        return load_settings({"data_dir": tmp_path / "data", "follow_up": follow_up})

    return with_


def test_a_secret_is_made_once_and_for_its_owner_only(settings, tmp_path):
    first = identity_key(settings())
    assert len(bytes.fromhex(first)) == 32
    assert identity_key(settings()) == first
    path = tmp_path / "data" / "results" / ".identity.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == [".identity.key"]


def test_a_given_secret_needs_no_file_and_is_not_shown(settings, tmp_path):
    told = settings(identity_key="a long enough secret")
    assert identity_key(told) == identity_key(settings(identity_key="a long enough secret"))
    assert not (tmp_path / "data").exists()
    assert "long enough" not in repr(told)
    assert "long enough" not in told.model_dump_json()


def test_a_short_secret_is_refused(settings):
    with pytest.raises(SettingsError, match="identity_key"):
        settings(identity_key="short")


def test_who_does_not_compare_keeps_no_secret(settings, tmp_path):
    assert identity_key(settings(enabled=False)) == ""
    assert not (tmp_path / "data").exists()


def test_a_file_that_holds_no_secret_is_said(settings, tmp_path):
    (tmp_path / "data" / "results").mkdir(parents=True)
    (tmp_path / "data" / "results" / ".identity.key").write_text("no secret")
    with pytest.raises(SettingsError, match="holds no secret"):
        identity_key(settings())


def test_every_limit_is_a_setting_and_arrives(settings):
    names = set(ResponseLimits.__dataclass_fields__)
    assert names <= set(FollowUpSection.model_fields)
    told = settings(tdv_wsd_ln=0.1, tdv_source="ours", against="nadir", smallest_dice=0.6)
    arrived = follow_up_settings(worker_configuration(told).follow_up)
    assert (arrived.limits.tdv_wsd_ln, arrived.limits.tdv_source) == (0.1, "ours")
    assert arrived.against == "nadir"
    assert arrived.rule.registration.smallest_dice == 0.6
    usual = follow_up_settings(worker_configuration(settings()).follow_up)
    assert usual == type(usual)()


def test_the_secret_does_not_stand_in_what_a_worker_is_told_by_repr(settings):
    from dataclasses import replace  # noqa: PLC0415

    told = replace(worker_configuration(settings()), identity_key="ab" * 32)
    assert "abab" not in repr(told)
