import pytest

from dicom_node.spool import Spool
from service.api.app import create_app
from tests.service.dicomweb.objects import Holdings, fill
from tests.service.sites import site_of
from tests.service.web import TestClient


@pytest.fixture
def empty(store, tmp_path):
    site = site_of(store, tmp_path, headers_dir=tmp_path / "headers")
    return Holdings(site, {}, Spool(tmp_path / "spool", floor_bytes=0))


@pytest.fixture
def holdings(empty):
    return fill(empty)


@pytest.fixture
def client(holdings):
    with TestClient(create_app(holdings.site), raise_server_exceptions=False) as opened:
        yield opened
