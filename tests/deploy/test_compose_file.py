"""What `deploy/compose.yaml` promises of every container, read from the file; the running ones are
looked at by `deploy/test_compose.sh`."""

import re
from pathlib import Path

import pytest
import yaml

from service.settings import PREFIX, load_settings
from workers import supervisor
from workers.doorbell import watch

DEPLOY = Path(__file__).parents[2] / "deploy"
STACK = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = STACK["services"]
OURS = ("node", "worker", "api", "migrate", "operate")
_VARIABLE = re.compile(r"\$\{(\w+):?-?([^}]*)\}")


def plain(text):
    """Return a value with its variables at their defaults."""
    return _VARIABLE.sub(r"\2", str(text))


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_confined(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"])
    assert service["ulimits"]["core"] == 0
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert plain(service["mem_limit"])[-1] in "mg"
    assert int(plain(service["pids_limit"])) > 0
    assert service["restart"] == {"migrate": "on-failure", "operate": "no"}.get(
        name, "unless-stopped"
    )


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned(name):
    _, _, tag = plain(SERVICES[name]["image"]).rpartition(":")
    assert re.match(r"v?\d+\.\d+", tag), tag


def test_every_container_that_stays_has_a_health_check():
    of_images = {"node", "worker", "api", "triton-cpu"}  # theirs stand in the Dockerfile
    lacking = {name for name in SERVICES if name not in of_images and not _check(name)}
    assert lacking == {"migrate", "operate"}
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    stages = re.split(r"^FROM ", text, flags=re.MULTILINE)
    assert {re.search(r" AS (\S+)", s)[1] for s in stages if "HEALTHCHECK" in s} == of_images


def _check(name):
    return "test" in SERVICES[name].get("healthcheck", {})


def test_two_ports_are_published_and_those_of_trials_on_this_machine_only():
    ports = {n: [plain(port) for port in s.get("ports", [])] for n, s in SERVICES.items()}
    open_to_others = {n: p for n, p in ports.items() if any("127.0.0.1" not in x for x in p)}
    assert open_to_others == {"node": ["0.0.0.0:11112:11112"]}
    assert ports["api"] == ["127.0.0.1:8080:8080"]
    rest = {n for n, p in ports.items() if p} - {"node", "api"}
    assert all(SERVICES[n]["profiles"] for n in rest)


def test_database_broker_and_model_server_have_no_way_out():
    inner = {name for name, net in STACK["networks"].items() if net.get("internal")}
    assert inner == {"record", "models", "monitoring"}
    for name in ("postgres", "redis", "triton", "triton-cpu", "migrate", "prometheus"):
        assert set(SERVICES[name]["networks"]) <= inner
    reach_triton = {name for name, s in SERVICES.items() if "models" in s["networks"]}
    assert reach_triton == {"worker", "operate", "triton", "triton-cpu", "prometheus"}


def test_no_password_stands_in_the_environment_or_in_an_argument():
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if "PASSWORD" in key:
                assert value.startswith("/run/secrets/")
        assert "assword" not in str(service.get("command", ""))


@pytest.mark.parametrize("name", OURS)
def test_our_settings_in_it_are_settings(name, monkeypatch, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s/ecret\n")
    for key, value in SERVICES[name]["environment"].items():
        assert key.startswith(PREFIX)
        inside = str(secret) if str(value).startswith("/run/secrets/") else plain(value)
        monkeypatch.setenv(key, inside)
    settings = load_settings()
    assert settings.store_url == "postgresql+pg8000://osteon:s%2Fecret@postgres:5432/osteon"
    assert settings.broker_url == "redis://osteon:s%2Fecret@redis:6379/0"
    assert settings.queue.backend == "celery"


def test_a_worker_has_time_to_hand_its_jobs_back():
    needed_s = max(2 * supervisor._TERMINATE_S, watch._HAND_BACK_S)
    assert int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) > 2 * needed_s


def test_what_is_mounted_to_be_read_exists():
    volumes = [plain(v) for s in SERVICES.values() for v in s.get("volumes", [])]
    mounted = {v.split(":")[0] for v in volumes if v.startswith(".") and v.endswith(":ro")}
    assert len(mounted) > 5
    assert [path for path in sorted(mounted) if not (DEPLOY / path).exists()] == []
