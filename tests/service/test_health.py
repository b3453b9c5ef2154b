import http.server
import threading

import pytest
from typer.testing import CliRunner

from dicom_node.receive import Receiver, ReceiverSettings
from dicom_node.spool import Spool
from service.cli.app import app
from tests.model_server import free_port
from tests.workers.served import Fraction, write_model


def ask(process, **settings):
    given = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    keys = [word.replace("__", ".") for word in given]
    return CliRunner().invoke(app, [*keys, "health", process])


@pytest.fixture
def door(tmp_path):
    """A DICOM door that knows one caller; yields its port."""
    spool = Spool(tmp_path / "spool")
    settings = ReceiverSettings(port=0, calling_ae_titles=("PACS",))
    receiver = Receiver(settings, spool, lambda _: None)
    with spool.claim():
        receiver.start()
        try:
            yield receiver.port
        finally:
            receiver.stop()


def test_a_door_that_answers_is_healthy_also_if_it_knows_few_callers(door):
    everywhere = "0.0.0.0"  # noqa: S104 - as in a container's settings
    known = ask("node", node__port=door, node__host=everywhere, node__calling_ae_titles='["PACS"]')
    assert (known.exit_code, known.stdout) == (0, "node works\n")
    stranger = ask("node", node__port=door)
    assert stranger.exit_code == 1
    assert "rejects us" in stranger.stderr


def test_a_door_that_is_shut_is_not():
    shut = ask("node", node__port=free_port())
    assert shut.exit_code == 1
    assert "does not answer" in shut.stderr


@pytest.fixture
def page():
    """A web server that answers with the status that it is given; yields it."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(self.server.status if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_web_server_is_healthy_if_it_says_so(page):
    page.status = 200
    assert ask("api", api__port=page.server_port).exit_code == 0
    page.status = 500
    assert "status 500" in ask("api", api__port=page.server_port).stderr
    assert "does not answer" in ask("api", api__port=free_port()).stderr


@pytest.fixture
def installed(tmp_path):
    """Settings of an installation with one model."""
    write_model(tmp_path / "models/anatomy", Fraction())
    models = tmp_path / "models"
    return {"data_dir": tmp_path, "models__repository": models, "models__disease": "rule"}


def test_a_worker_is_healthy_with_its_store_and_its_models(installed):
    assert ask("worker", **installed).exit_code == 0
    lacking = ask("worker", **{**installed, "models__disease": "other"})
    assert lacking.exit_code == 1
    assert "other" in lacking.stderr


def test_a_worker_without_redis_or_its_model_server_is_not(installed):
    nowhere = f"127.0.0.1:{free_port()}"
    celery = {"queue__backend": "celery", "queue__broker_url": f"redis://{nowhere}"}
    assert "Redis does not answer" in ask("worker", **installed, **celery).stderr
    triton = {"models__backend": "triton", "models__triton__url": nowhere}
    assert f"the model server should, {nowhere}" in ask("worker", **installed, **triton).stderr
    without_port = {**triton, "models__triton__url": "triton"}
    assert "the model server should, triton" in ask("worker", **installed, **without_port).stderr
