"""What is watched is really there: alerts and dashboard against promtool and the real processes."""

import json
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.acceptance.peers import wait_for
from tests.servers import Redis, free_port

PROJECT = Path(__file__).parents[2]
MONITORING = PROJECT / "deploy/monitoring"
RULES = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
BOARD = json.loads((MONITORING / "grafana/dashboards/osteon.json").read_text(encoding="utf-8"))
EXPRESSIONS = [target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", ())]
_OURS = re.compile(r"\b(?:osteon|process|http_server)_[a-z0-9_]+")
_START_S = 120


def promtool(*arguments):
    done = subprocess.run(
        ["promtool", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_understands_what_it_is_given():
    promtool("check", "config", "--syntax-only", MONITORING / "prometheus.yml")
    promtool("check", "rules", MONITORING / "alerts.yml")


@pytest.mark.parametrize("scenes", ["alerts_test.yml", "alerts_weeks_test.yml"])
def test_alerts_fire_when_they_should_and_no_other_does(scenes):
    promtool("test", "rules", PROJECT / "tests/deploy" / scenes)


def test_every_alert_is_seen_firing_in_a_scene():
    names = ("alerts_test.yml", "alerts_weeks_test.yml")
    scenes = "".join((PROJECT / "tests/deploy" / name).read_text() for name in names)
    fired = set(re.findall(r'alertname="(\w+)"', scenes))
    assert fired == set(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_it_means_what_to_do_and_where_more_stands(name):
    rule = ALERTS[name]
    told = rule["annotations"]
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert told["summary"].endswith(".")
    assert told["action"].endswith(".")
    page, _, anchor = told["runbook"].partition("#")
    assert anchor == name.lower()
    headings = re.findall(r"^#+ (\w+)$", (PROJECT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert headings.count(name) == 1


def test_every_alert_of_the_page_exists():
    page = (PROJECT / "docs/operations.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^#+ (Osteon\w+)$", page, re.MULTILINE)) == set(ALERTS)


def test_the_dashboard_can_be_provisioned_and_every_panel_be_read(tmp_path):
    provider = yaml.safe_load(
        (MONITORING / "grafana/provisioning/dashboards/osteon.yml").read_text()
    )
    source = yaml.safe_load(
        (MONITORING / "grafana/provisioning/datasources/prometheus.yml").read_text()
    )
    assert provider["providers"][0]["options"]["path"] == "/var/lib/grafana/dashboards"
    assert BOARD["uid"] == "osteon"
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids) > 30
    used = {panel["datasource"]["uid"] for panel in BOARD["panels"] if panel["type"] != "row"}
    assert used == {source["datasources"][0]["uid"]}
    rules = [
        {"record": f"panel:{n}", "expr": expression.replace("$__rate_interval", "5m")}
        for n, expression in enumerate(EXPRESSIONS)
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", file)


def test_prometheus_asks_the_ports_that_the_stack_opens():
    services = yaml.safe_load((PROJECT / "deploy/compose.yaml").read_text())["services"]
    jobs = yaml.safe_load((MONITORING / "prometheus.yml").read_text())["scrape_configs"]
    asked = {(c["names"][0], str(c["port"])) for job in jobs for c in job["dns_sd_configs"]}
    opened = {
        (service, services[service]["environment"][variable])
        for service, variable in (
            ("node", "OSTEON_MONITORING__NODE_PORT"),
            ("worker", "OSTEON_MONITORING__WORKER_PORT"),
            ("api", "OSTEON_API__PORT"),
        )
    }
    assert asked == opened | {("triton", "8002")}
    for service in ("node", "worker"):
        published = [str(port) for port in services[service].get("ports", ())]
        assert not [port for port in published if port.endswith((":9421", ":9422"))]


def scrape(port):
    url = f"http://127.0.0.1:{port}/metrics"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


def answers(port):
    try:
        return scrape(port)
    except OSError:
        return ""


@contextmanager
def running(folder, settings, names):
    processes = []
    try:
        for name in names:
            command = [sys.executable, "-m", "service", "--config", str(settings), name]
            with (folder / f"{name}.log").open("ab") as log:
                processes.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=PROJECT))
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Ports of the metrics of node, worker and REST interface: the real processes."""
    folder = tmp_path_factory.mktemp("watched")
    redis = Redis(folder / "redis")
    dicom, node, worker, api, nobody = (free_port() for _ in range(5))
    settings = folder / "osteon.toml"
    settings.write_text(
        f'data_dir = "{folder / "data"}"\n'
        f"[node]\nport = {dicom}\n"
        f"[api]\nport = {api}\n"
        f'[queue]\nbackend = "celery"\nbroker_url = "{redis.address}"\n'
        f'password = "{Redis.PASSWORD}"\n'
        f'[models]\nbackend = "triton"\ntriton.url = "127.0.0.1:{nobody}"\n'
        f"[monitoring]\nnode_port = {node}\nworker_port = {worker}\n"
        f'[[destinations]]\nname = "pacs"\nae_title = "PACS"\nhost = "127.0.0.1"\nport = 104\n'
    )
    try:
        with running(folder, settings, ("node", "worker", "api")):
            ports = {"node": node, "worker": worker, "api": api}
            for name, port in ports.items():
                wait_for(f"the metrics of the {name}", lambda port=port: answers(port), _START_S)
            yield ports
    except AssertionError as error:
        logs = "".join(path.read_text()[-2000:] for path in folder.glob("*.log"))
        raise AssertionError(logs) from error
    finally:
        redis.kill()


@pytest.fixture(scope="module")
def exposed(watched):
    """What each of the processes says of itself."""
    return {name: scrape(port) for name, port in watched.items()}


@pytest.fixture(scope="module")
def prometheus(watched, tmp_path_factory):
    """The real server with our rules, which asks the processes each second; gives its port."""
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    jobs = [
        {"job_name": f"osteon-{name}", "static_configs": [{"targets": [f"127.0.0.1:{asked}"]}]}
        for name, asked in watched.items()
    ]
    config = {
        "global": {"scrape_interval": "3s", "scrape_timeout": "3s", "evaluation_interval": "1s"},
        "rule_files": [str(MONITORING / "alerts.yml")],
        "scrape_configs": jobs,
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    command = ["prometheus", f"--config.file={folder / 'prometheus.yml'}"]
    command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as server:
        try:
            yield port
        finally:
            server.terminate()


def asked(port, path, **query):
    url = f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)["data"]


def number_of(port, expression):
    try:
        found = asked(port, "query", query=expression)["result"]
    except OSError:
        return 0
    return int(found[0]["value"][1]) if found else 0


def families(text):
    """Yield every series name that the families of a page have, with a sample or without."""
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        yield name
        if kind in {"histogram", "summary"}:
            yield from (f"{name}{end}" for end in ("_bucket", "_sum", "_count"))


def test_everything_that_is_watched_is_told_by_a_process(exposed):
    told = {name for text in exposed.values() for name in families(text)}
    watched = [*EXPRESSIONS, *(rule["expr"] for rule in ALERTS.values())]
    used = {name for expression in watched for name in _OURS.findall(expression)}
    assert len(used) > 40
    assert used - told == set()


def test_each_process_says_who_it_is_and_how_things_are(exposed):
    for name, text in exposed.items():
        assert 'osteon_process_info{git="' in text
        assert f'process="{name}"' in text
    assert "osteon_worker_broker_up 1.0" in exposed["worker"]
    assert "osteon_worker_model_server_up 0.0" in exposed["worker"]
    assert 'osteon_worker_rings_waiting{queue="urgent"} 0.0' in exposed["worker"]
    assert 'osteon_ready{check="dicom_node"} 1.0' in exposed["api"]
    assert 'outcome="refused"' in exposed["worker"]


def test_names_follow_the_conventions(exposed):
    for text in exposed.values():
        for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
            assert re.fullmatch(r"(osteon|process|http_server)_[a-z0-9_]+", name)
            assert (kind == "counter") == name.endswith("_total") or name.endswith("_created")
            assert not re.search(r"_(ms|mb|gb|percent)\b", name)


def test_the_page_lists_what_the_processes_tell(exposed):
    page = (PROJECT / "docs/monitoring.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`((?:osteon|http_server)_\w+)`", page))
    families_told = {
        name
        for text in exposed.values()
        for name in re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
        if not name.startswith("process_") and not name.endswith("_created")
    }
    assert listed == families_told


def test_a_real_prometheus_asks_all_and_answers_every_panel_and_rule(prometheus):
    wait_for("the scrapes", lambda: number_of(prometheus, "sum(up)") == 3, _START_S)
    for expression in EXPRESSIONS:
        query = expression.replace("$__rate_interval", "5m")
        assert asked(prometheus, "query", query=query)["resultType"] == "vector"

    def rules():
        groups = asked(prometheus, "rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    wait_for("the rules", lambda: {r["health"] for r in rules()} == {"ok"}, _START_S)
    assert {rule["name"] for rule in rules()} == set(ALERTS)
    there = {"OsteonNodeGone", "OsteonWorkerGone", "OsteonApiGone", "OsteonNodeDeaf"}

    def only_the_model_server_is_away():
        raised = {rule["name"] for rule in rules() if rule["state"] != "inactive"}
        return "OsteonModelServerAway" in raised and not raised & there

    wait_for("the alerts", only_the_model_server_is_away, _START_S)
