"""`deploy/install.sh` with real ports, real files and real digests.

The engine is a stand-in: no container runs inside a unit test. The real one is used by
`deploy/test_compose.sh`.
"""

import os
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
SCRIPTS = ("install.sh", "preflight.sh", "stack.sh", "bundle.sh")
PACS = '[{"name": "pacs", "ae_title": "PACS", "host": "192.0.2.10", "port": 104}]'
OURS = ("node", "worker", "api")
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="it gives files to the users of the containers, which root may"
)
# What it is asked lies in files of its folder: images, running, doctor, gone.
ENGINE = r"""#!/usr/bin/env bash
here=$(dirname "$0")/state
echo "$*" >>"$here/asked"
[ ! -e "$here/away" ] || exit 1
case "$*" in
  --version) echo "Docker version 28.2.2" ;;
  "compose version --short") cat "$here/compose" ;;
  "compose version") [ -s "$here/compose" ] ;;
  "info --format {{.DockerRootDir}}") echo "$here" ;;
  "info --format"*) exit 1 ;;
  info) cat "$here/info" ;;
  "volume inspect"*) exit 1 ;;
  "image inspect"*) grep -qxF "${*: -1}" "$here/images" ;;
  ps*service=*) asked="$*"; grep -xF "${asked##*service=}" "$here/running" ;;
  *StartedAt*) cat "$here/started"; [ ! -e "$here/loops" ] || date +%N >"$here/started" ;;
  inspect*) cat "$here/health" ;;
  load*) cat "$here/in-bundle" >>"$here/images" ;;
  *" doctor "*) cat "$here/doctor"; ! grep -q ^problem "$here/doctor" ;;
  "compose up --detach") cat "$here/services" >"$here/running" ;;
  *) echo "not expected: $*" >&2; exit 9 ;;
esac
"""


class Host:
    """A copy of the deploy folder, and a PATH with an engine that says what the test wants."""

    def __init__(self, folder):
        self.deploy, self.state = folder / "deploy", folder / "bin/state"
        shutil.copytree(
            DEPLOY, self.deploy, ignore=shutil.ignore_patterns("secrets", ".env", "backups")
        )
        self.state.mkdir(parents=True)
        self.tools = folder / "bin"
        self.program("docker", ENGINE)
        self.says(
            compose="2.29.1\n", info="", running="", health="healthy\n", images="", started=""
        )
        self.says(doctor="ok       DATA_FOLDER      fine\n")
        self.images = self.expected_images()
        self.says(images="".join(f"{image}\n" for image in self.images))
        names = [line.split()[0] for line in self.listed().splitlines()]
        self.says(services="".join(f"{name}\n" for name in names))
        self.port_dicom, self.port_web = free_port(), free_port()

    def says(self, **files):
        for name, text in files.items():
            (self.state / name).write_text(text)

    def program(self, name, text):
        path = self.tools / name
        path.write_text(text)
        path.chmod(0o755)

    def write_env(self, **lines):
        given = {
            "OSTEON_DESTINATIONS": PACS,
            "STACK_DICOM_PORT": self.port_dicom,
            "STACK_WEB_PORT": self.port_web,
            **lines,
        }
        text = "".join(f"{key}={value}\n" for key, value in given.items())
        (self.deploy / ".env").write_text(text)

    def write_secrets(self, mode=0o444, folder_mode=0o700):
        folder = self.deploy / "secrets"
        folder.mkdir(exist_ok=True)
        for name in ("postgres_password", "redis_password"):
            (folder / name).write_text("s3cret")
            (folder / name).chmod(mode)
        folder.chmod(folder_mode)

    def ready(self, **lines):
        self.write_env(**lines)
        self.write_secrets()
        (self.deploy / "backups").mkdir(exist_ok=True)
        if os.geteuid() == 0:
            os.chown(self.deploy / "backups", 10001, 10001)
        return self

    def run(self, *arguments, cwd=None, **environment):
        path = f"{self.tools}:{os.environ['PATH']}"
        return subprocess.run(
            [self.deploy / "install.sh", *arguments],
            cwd=cwd,
            env={"PATH": path, "WAIT_S": "3", "STEADY_S": "0", **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def check(self, *arguments, **environment):
        """Lines by code: the verdict and the sentence of the last with this code."""
        done = self.run("--check", *arguments, **environment)
        found = {}
        for line in done.stdout.splitlines():
            if line.split()[0] in {"ok", "problem", "note", "skipped"}:
                verdict, code, sentence = line.split(None, 2)
                found[code] = (verdict, sentence)
        problems = [line for line in done.stdout.splitlines() if line.startswith("problem")]
        assert done.returncode == (1 if problems else 0), done.stdout + done.stderr
        assert (f"{len(problems)} problem(s)" in done.stderr) == bool(problems)
        return found

    def listed(self):
        program = f"cd {self.deploy}; . ./stack.sh; images"
        done = subprocess.run(
            ["bash", "-euc", program], capture_output=True, text=True, check=True, env={}
        )
        return done.stdout

    def expected_images(self):
        return sorted({line.split()[1] for line in self.listed().splitlines()})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


@pytest.mark.parametrize("name", [*SCRIPTS, "test_compose.sh", "redis/start.sh"])
def test_the_scripts_are_clean(name):
    program = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run(
        [program, "-x", "-P", "deploy", f"deploy/{name}"],
        cwd=DEPLOY.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_images_are_those_of_the_compose_file(host):
    import yaml  # noqa: PLC0415

    stack = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    always = {n for n, s in stack.items() if s.get("profiles", ["operate"]) == ["operate"]}
    assert {line.split()[0] for line in host.listed().splitlines()} == always
    assert {f"localhost/osteon-{name}:0.1.0" for name in OURS} <= set(host.images)
    host.write_env(COMPOSE_PROFILES="cpu,monitoring", STACK_VERSION="9.9", STACK_REGISTRY="r/x")
    listed = dict(line.split() for line in host.listed().splitlines())
    assert listed.keys() - always == {"triton-cpu", "prometheus", "grafana"}
    assert listed["worker"] == "r/x/osteon-worker:9.9"


class TestCheck:
    def test_a_host_that_is_ready(self, host):
        found = host.ready().check()
        verdicts = {code: verdict for code, (verdict, _) in found.items()}
        # What this machine is like (disk, clock, memory) is not this test's.
        machine = {"DISK", "TIME", "MEMORY", "CORES"}
        assert machine <= verdicts.keys()
        assert {c: v for c, v in verdicts.items() if c not in machine} == dict.fromkeys(
            (
                "ENGINE",
                "COMPOSE",
                "ENV_FILE",
                "DESTINATIONS",
                "PROFILES",
                "SECRETS",
                "BACKUPS",
                "PORT_DICOM",
                "PORT_WEB",
                "IMAGES",
                "DATA_FOLDER",
            ),
            "ok",
        )

    def test_it_changes_nothing(self, host):
        before = sorted(str(path) for path in host.deploy.rglob("*"))
        host.check()
        assert sorted(str(path) for path in host.deploy.rglob("*")) == before
        assert "up --detach" not in (host.state / "asked").read_text()

    def test_a_port_that_is_taken(self, host):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            verdict, sentence = host.ready(STACK_DICOM_PORT=port).check()["PORT_DICOM"]
            assert verdict == "problem"
            assert f"port {port} is taken" in sentence
            host.says(running="node\n")
            assert host.check()["PORT_DICOM"] == ("ok", f"port {port} is this stack's node")

    def test_a_port_of_ipv6_is_taken_too(self, host):
        with socket.socket(socket.AF_INET6) as taken:
            taken.bind(("::1", 0))
            taken.listen()
            found = host.ready(STACK_WEB_PORT=taken.getsockname()[1]).check()
        assert found["PORT_WEB"][0] == "problem"

    @pytest.mark.parametrize("port", ["0", "65536", "http"])
    def test_a_port_that_is_none(self, host, port):
        assert host.ready(STACK_WEB_PORT=port).check()["PORT_WEB"][0] == "problem"

    def test_no_engine_and_one_that_is_away(self, host):
        host.ready()
        assert host.check(ENGINE="no-such-engine")["ENGINE"][0] == "problem"
        host.says(away="")
        found = host.check()
        assert found["ENGINE"][0] == "problem"
        assert found["IMAGES"][0] == "skipped"

    @pytest.mark.parametrize("version", ["2.23.3\n", "v2.5.0\n", ""])
    def test_compose_that_is_too_old_or_missing(self, host, version):
        host.says(compose=version)
        assert host.ready().check()["COMPOSE"][0] == "problem"

    def test_a_misspelt_setting(self, host):
        verdict, sentence = host.ready(OSTEON_NODE__PROT="104").check()["ENV_FILE"]
        assert verdict == "problem"
        assert "OSTEON_NODE__PROT" in sentence

    def test_every_line_of_the_example_is_known(self, host):
        text = (host.deploy / ".env.example").read_text()
        lines = [line[1:] for line in text.splitlines() if line[:8] in ("#STACK_X", "#OSTEON_")]
        (host.deploy / ".env").write_text("\n".join(lines) + "\n")
        assert len(lines) > 20
        assert host.check()["ENV_FILE"][0] == "ok"

    @pytest.mark.parametrize("text", ["[]", "", "PACS@192.0.2.10:104"])
    def test_no_destination(self, host, text):
        assert host.ready(OSTEON_DESTINATIONS=text).check()["DESTINATIONS"][0] == "problem"

    @pytest.mark.parametrize(
        ("profiles", "backend", "verdict"),
        [
            ("", "embedded", "ok"),
            ("cpu", "triton", "ok"),
            ("monitoring", "embedded", "ok"),
            ("gpu,cpu", "triton", "problem"),
            ("cpu", "embedded", "problem"),
            ("", "triton", "problem"),
        ],
    )
    def test_profiles_and_backend_belong_together(self, host, profiles, backend, verdict):
        host.ready(COMPOSE_PROFILES=profiles, OSTEON_MODELS__BACKEND=backend)
        assert host.check()["PROFILES"][0] == verdict

    @pytest.mark.parametrize(
        ("mode", "folder_mode", "verdict"),
        [
            (0o444, 0o700, "ok"),
            (0o444, 0o755, "problem"),  # every user of the host could read it
            (0o644, 0o750, "problem"),
            (0o664, 0o700, "problem"),  # somebody could change it
            (0o400, 0o700, "problem"),  # whoever runs the test owns it, not the container
        ],
    )
    def test_modes_of_passwords(self, host, mode, folder_mode, verdict):
        host.ready().write_secrets(mode, folder_mode)
        assert host.check()["SECRETS"][0] == verdict

    def test_passwords_that_are_missing_or_empty(self, host):
        host.ready()
        secret = host.deploy / "secrets/redis_password"
        secret.unlink()
        assert "is missing" in host.check()["SECRETS"][1]
        secret.write_text("")
        assert "is empty" in host.check()["SECRETS"][1]

    def test_no_password_is_ever_printed(self, host):
        done = host.ready().run()
        assert done.returncode == 0
        assert "s3cret" not in done.stdout + done.stderr + (host.state / "asked").read_text()

    def test_a_folder_for_backups_that_is_missing_or_of_somebody_else(self, host):
        folder = host.ready().deploy / "backups"
        os.chown(folder, os.geteuid(), os.getegid())
        assert "chown 10001" in host.check()["BACKUPS"][1]
        folder.rmdir()
        assert host.check()["BACKUPS"][0] == "problem"

    def test_more_memory_than_there_is(self, host):
        found = host.ready(STACK_WORKER_MEMORY="900000g").check()["MEMORY"]
        assert found[0] == "problem"

    def test_less_disk_than_the_node_wants(self, host):
        found = host.ready(OSTEON_NODE__FREE_SPACE_FLOOR_GIB="1e9").check()["DISK"]
        assert found[0] == "problem"

    def test_a_disk_that_is_said_as_df_says_it(self, host):
        df = subprocess.run(
            ["df", "--output=fstype", host.state], capture_output=True, text=True, check=True
        )
        assert f"({df.stdout.split()[-1]})" in host.ready().check()["DISK"][1] or (
            f"on {df.stdout.split()[-1]}," in host.check()["DISK"][1]
        )
        assert not list(host.state.glob(".osteon-check*"))

    @pytest.mark.parametrize(("said", "verdict"), [("yes", "ok"), ("no", "problem")])
    def test_the_clock(self, host, said, verdict):
        host.program("timedatectl", f"#!/bin/sh\necho {said}\n")
        assert host.ready().check()["TIME"][0] == verdict

    def test_a_gpu_that_is_there_and_one_that_is_not(self, host):
        host.ready(COMPOSE_PROFILES="gpu", OSTEON_MODELS__BACKEND="triton")
        assert host.check()["GPU_DRIVER"][0] == "problem"
        host.program("nvidia-smi", "#!/bin/sh\necho 'NVIDIA L4, 580.65.06'\n")
        found = host.check()
        assert found["GPU_DRIVER"] == ("ok", "NVIDIA L4, 580.65.06")
        assert found["GPU_TOOLKIT"][0] == "problem"
        host.says(info=" Runtimes: io.containerd.runc.v2 nvidia runc\n")
        assert host.check()["GPU_TOOLKIT"][0] == "ok"

    def test_images_that_are_missing(self, host):
        host.ready().says(images="\n".join(i for i in host.images if "osteon-api" not in i))
        found = host.check()
        assert found["IMAGES"][0] == "problem"
        assert found["INSIDE"][0] == "skipped"
        host.says(images="\n".join(i for i in host.images if "redis" not in i))
        assert host.check()["IMAGES"][0] == "note"  # compose fetches those of others

    def test_what_the_image_finds_counts(self, host):
        host.ready().says(doctor="problem  ECHO_TO_PACS     pacs: PACS rejects us\n")
        assert host.check()["ECHO_TO_PACS"][0] == "problem"
        host.says(doctor="problem: settings\nosteon: node.port: no\n")
        verdict, sentence = host.check()["SETTINGS"]
        assert (verdict, sentence[-13:]) == ("problem", "node.port: no")

    def test_the_echo_of_the_pacs_is_waited_for_at_the_published_port(self, host):
        host.ready().check("--wait-echo", "5")
        asked = (host.state / "asked").read_text()
        assert "--service-ports node doctor pacs --wait-echo 5" in asked

    def test_a_page_that_others_may_reach_is_noted(self, host):
        found = host.ready(STACK_WEB_ADDRESS="0.0.0.0").check()  # noqa: S104 - a value to judge
        assert found["WEB_ADDRESS"][0] == "note"


class TestInstall:
    def test_it_starts_waits_and_says_where(self, host):
        done = host.ready().run()
        assert done.returncode == 0, done.stdout + done.stderr
        assert "compose up --detach" in (host.state / "asked").read_text()
        assert f"AE title OSTEON, port {host.port_dicom}" in done.stdout
        assert f"http://127.0.0.1:{host.port_web}/" in done.stdout

    def test_a_problem_stops_it_before_anything_starts(self, host):
        done = host.ready(OSTEON_DESTINATIONS="[]").run()
        assert done.returncode == 1
        assert "nothing was started" in done.stderr
        assert "up --detach" not in (host.state / "asked").read_text()

    def test_a_pacs_that_is_away_is_told_once_everything_runs(self, host):
        host.ready().says(doctor="problem  ECHO_TO_PACS     pacs: nobody answers\n")
        host.program(
            "docker",
            ENGINE.replace('*" doctor "*)', '*" doctor storage") ;;\n  *" doctor "*)'),
        )
        done = host.run()
        assert done.returncode == 1
        assert "up --detach" in (host.state / "asked").read_text()
        assert "Osteon runs." in done.stdout
        assert "1 problem(s) are left" in done.stderr

    def test_a_service_that_does_not_get_healthy(self, host):
        host.ready().says(health="unhealthy\n")
        done = host.run(WAIT_S="1")
        assert done.returncode == 1
        assert "worker (unhealthy)" in done.stderr
        assert "[NOT_HEALTHY]" in done.stderr

    def test_a_container_that_starts_again_and_again_is_not_healthy(self, host):
        host.ready().says(loops="")
        done = host.run(WAIT_S="1")
        assert done.returncode == 1
        assert "again and again" in done.stderr

    def test_passwords_are_made_once(self, host):
        host.write_env()
        assert host.run().returncode == 0
        files = {p.name: p for p in (host.deploy / "secrets").iterdir()}
        assert files.keys() == {"postgres_password", "redis_password"}
        assert (host.deploy / "backups").stat().st_uid == 10001
        first = {name: path.read_text() for name, path in files.items()}
        assert len(set(first.values())) == 2
        assert {len(text) for text in first.values()} == {64}
        for path in files.values():
            status = path.stat()
            assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (
                0o440,
                10001,
                999,
            )
        assert host.run().returncode == 0
        assert {name: path.read_text() for name, path in files.items()} == first

    def test_the_first_run_leaves_an_env_to_fill_in(self, host):
        host.write_secrets()
        done = host.run()
        assert done.returncode == 1
        assert (host.deploy / ".env").read_text() == (host.deploy / ".env.example").read_text()
        assert "OSTEON_DESTINATIONS names no PACS" in done.stdout

    @pytest.mark.parametrize(
        "arguments", [["--nonsense"], ["--offline"], ["--wait-echo"], ["--wait-echo", "soon"]]
    )
    def test_usage(self, host, arguments):
        assert host.run(*arguments).returncode == 2

    def test_help(self, host):
        done = host.run("--help")
        assert done.returncode == 0
        assert "--offline BUNDLE" in done.stdout
        assert "set -" not in done.stdout
