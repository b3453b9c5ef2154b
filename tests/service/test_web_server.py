import signal
import socket
import threading
import time

import httpx
import pytest

from service.api.app import create_app
from service.api.site import Site
from service.console import live
from service.web_server import WebServer


@pytest.fixture
def app(store, tmp_path):
    site = Site(
        store=store,
        results_dir=tmp_path,
        spool_dir=tmp_path,
        model_dirs=(),
        node_host="127.0.0.1",
        node_port=1,
        node_ae_title="OSTEON",
        version="0",
        git_commit="",
    )
    return create_app(site)


def test_a_stream_ends_when_the_server_is_asked_to_stop(app, monkeypatch, caplog):
    """The browser that watches the list is let go in less than the time that others are given."""
    monkeypatch.setattr(live, "POLL_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = WebServer(app, "127.0.0.1", port)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    ended = threading.Event()
    url = f"http://127.0.0.1:{port}/live"
    with httpx.stream("GET", url, timeout=30, trust_env=False) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "retry: 2000"
        server.handle_exit(signal.SIGTERM, None)
        list(lines)
        ended.set()
    thread.join(30)
    assert ended.is_set()
    assert not thread.is_alive()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_port_that_is_taken_is_told(app):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = WebServer(app, "127.0.0.1", taken.getsockname()[1])
        with pytest.raises(SystemExit):
            server.run()
    assert not server.started
