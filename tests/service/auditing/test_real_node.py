"""The real node: what came in, who was turned away, its start and stop are in the audit."""

import subprocess
import sys

import pytest

from jobs.store import JobStore
from service.settings import load_settings
from service.wiring import open_store
from tests.acceptance.peers import wait_for
from tests.servers import free_port
from tests.workers.dicom_files import write_object

MR = "1.2.840.10008.5.1.4.1.1.4"


@pytest.fixture
def node(tmp_path):
    """A node in a process of its own that lets in MR1; gives its port and its database."""
    port = free_port()
    (tmp_path / "osteon.toml").write_text(
        f'data_dir = "{tmp_path / "data"}"\n[node]\nport = {port}\ncalling_ae_titles = ["MR1"]\n'
    )
    settings = load_settings(config_file=tmp_path / "osteon.toml")
    open_store(settings).close()
    command = [sys.executable, "-m", "service", "--config", str(tmp_path / "osteon.toml"), "node"]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        wait_for("the node", lambda: b"node_listens" in (tmp_path / "log").read_bytes(), 60)
        yield port, settings.store_url, process
        process.kill()


def send(port, *paths, calling):
    command = ["/usr/bin/storescu", "-aet", calling, "-aec", "OSTEON", "127.0.0.1", str(port)]
    return subprocess.run([*command, *map(str, paths)], capture_output=True, check=False).returncode


def test_transfers_refusals_start_and_stop_are_in_the_chain(node, tmp_path):
    port, url, process = node
    paths = [write_object(tmp_path / f"{n}.dcm", MR, f"2.25.{n}") for n in (1, 2, 3)]
    assert send(port, *paths, calling="MR1") == 0
    assert send(port, paths[0], calling="EVIL") != 0
    process.terminate()
    assert process.wait(30) == 0
    with JobStore(url) as store:
        rows = store.audit()
        assert store.verify_audit().rows == len(rows) == 4
    told = {(row.event, row.actor, row.detail.partition(" of ")[0]) for row in rows[1:3]}
    assert told == {
        ("instances_received", "MR1", "3"),
        ("association_refused", "EVIL", "CALLING_AE_TITLE_UNKNOWN"),
    }
    assert (rows[0].event, rows[3].event) == ("application_start", "application_stop")
