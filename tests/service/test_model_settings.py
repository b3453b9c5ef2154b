import dataclasses

import pytest

from service.model_section import TritonSettings
from service.settings import SettingsError, load_settings
from service.worker_settings import worker_configuration
from workers.inference.endpoint import Endpoint


def test_models_run_in_the_worker_unless_a_server_is_named(monkeypatch):
    assert worker_configuration(load_settings()).model_server is None
    monkeypatch.setenv("OSTEON_MODELS__BACKEND", "triton")
    monkeypatch.setenv("OSTEON_MODELS__TRITON__URL", "triton:8001")
    monkeypatch.setenv("OSTEON_MODELS__TRITON__SHARED_MEMORY", "true")
    server = worker_configuration(load_settings()).model_server
    assert server == Endpoint("triton:8001", shared_memory=True)


def test_the_settings_of_the_server_are_those_of_its_client():
    assert TritonSettings().model_dump() == dataclasses.asdict(Endpoint())


@pytest.mark.parametrize(
    "wrong", [{"backend": "onnx"}, {"triton": {"in_flight": 0}}, {"triton": {"deadline_s": 0}}]
)
def test_a_server_that_cannot_be_asked_is_no_setting(wrong):
    with pytest.raises(SettingsError, match="models"):
        load_settings({"models": wrong})
