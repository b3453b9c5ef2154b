import pytest

from dicom_node.spool import Spool
from service.api.app import create_app
from service.api.site import Site
from tests.service.dicomweb.objects import Holdings, fill
from tests.service.web import TestClient


@pytest.fixture
def empty(store, tmp_path):
    site = Site(
        store=store,
        results_dir=tmp_path / "results",
        spool_dir=tmp_path / "spool",
        model_dirs=(),
        node_host="127.0.0.1",
        node_port=1,
        node_ae_title="OSTEON",
        version="0.1.0",
        git_commit="abc",
        headers_dir=tmp_path / "headers",
    )
    return Holdings(site, {}, Spool(tmp_path / "spool", floor_bytes=0))


@pytest.fixture
def holdings(empty):
    return fill(empty)


@pytest.fixture
def client(holdings):
    with TestClient(create_app(holdings.site), raise_server_exceptions=False) as opened:
        yield opened
